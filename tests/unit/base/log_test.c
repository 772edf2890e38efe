/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "tests/support/test.h"

/* The last message that was written. */
typedef struct Record {
    int count;
    char text[QN_LOG_LINE_BYTES + 100];
} Record;

static void record(void *user, QnLogLevel level, const char *area, const char *message)
{
    Record *last = user;
    last->count++;
    snprintf(last->text, sizeof last->text, "%s %s: %s", qn_log_level_name(level), area, message);
}

TEST(only_wanted_levels_are_written)
{
    Record last = {0};
    const QnLog log = {&last, QN_LOG_WARNING, record};
    qn_log(&log, QN_LOG_INFO, "pool", "ignored");
    EXPECT(t, last.count == 0, "%s", last.text);
    qn_log(&log, QN_LOG_WARNING, "pool", "%d threads", 2);
    EXPECT(t, !strcmp(last.text, "warning pool: 2 threads"), "%s", last.text);
    qn_log(&log, QN_LOG_ERROR, "net", "lost");
    EXPECT(t, !strcmp(last.text, "error net: lost"), "%s", last.text);
}

TEST(silence_is_the_default)
{
    const QnLog silent = {0};
    qn_log(NULL, QN_LOG_ERROR, "a", "b");
    qn_log(&silent, QN_LOG_ERROR, "a", "b");
    EXPECT(t, !qn_log_wants(NULL, QN_LOG_ERROR) && !qn_log_wants(&silent, QN_LOG_ERROR),
           "somebody listens");
}

TEST(a_message_is_one_line_of_limited_length)
{
    Record last = {0};
    const QnLog log = {&last, QN_LOG_DEBUG, record};
    char name[5000];
    qn_log(&log, QN_LOG_INFO, "a", "model '%s'", "x\nerror forged: y\033[2J");
    EXPECT(t, !strcmp(last.text, "info a: model 'x error forged: y [2J'"), "%s", last.text);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    qn_log(&log, QN_LOG_INFO, "a", "%s", name);
    EXPECT(t, !strcmp(last.text + strlen(last.text) - 5, "nn..."), "%s",
           last.text + strlen(last.text) - 20);
}

TEST(pairs_cannot_be_forged)
{
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"resnet50", "model=resnet50"},
        {"a/b-1.2:3", "model=a/b-1.2:3"},
        {"", "model=\"\""},
        {"a b", "model=\"a b\""},
        {"x level=error", "model=\"x level=error\""},
        {"x\" level=\"error", "model=\"x\\\" level=\\\"error\""},
        {"back\\slash", "model=\"back\\\\slash\""},
        {"line\nend\r\t", "model=\"line\\nend\\r\\t\""},
        {"esc\033[0m", "model=\"esc\\x1b[0m\""},
        {"größe", "model=\"größe\""},
        {"\xff\xfe", "model=\"\\xff\\xfe\""},
        {"c1\xc2\x85", "model=\"c1\\xc2\\x85\""},
        {"\xe2\x80\xaetxt", "model=\"\\xe2\\x80\\xaetxt\""}, /* right-to-left override */
        {"\xe2\x80\xa8", "model=\"\\xe2\\x80\\xa8\""},       /* line separator */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnLogLine line = {0};
        qn_log_put_text(&line, "model", rows[i].value);
        EXPECT(t, !strcmp(line.text, rows[i].want), "row %zu gave %s", i, line.text);
    }
}

TEST(lines_are_made_of_pairs)
{
    Record last = {0};
    const QnLog log = {&last, QN_LOG_INFO, record};
    QnLogLine line = {0};
    qn_log_put_text(&line, "event", "load");
    qn_log_put_int(&line, "version", -3);
    qn_log_put_bytes(&line, "id", qn_bytes("a\0b", 3));
    qn_log_line(&log, QN_LOG_INFO, "repository", &line);
    EXPECT(t, !strcmp(last.text, "info repository: event=load version=-3 id=\"a\\x00b\""), "%s",
           last.text);
}

TEST(a_line_that_is_full_says_so)
{
    QnLogLine line = {0};
    char value[300];
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = 0;
    for (int i = 0; i < 20; i++)
        qn_log_put_text(&line, "k", value);
    EXPECT(t, line.length < sizeof line.text && line.length == strlen(line.text), "%zu",
           line.length);
    EXPECT(t, !strcmp(line.text + line.length - 4, "v..."), "%s", line.text + line.length - 8);
}

TEST(escaped_text_is_cut_between_characters)
{
    static const struct {
        size_t size;
        const char *want;
    } rows[] = {{4, "..."},   {5, "a..."},     {6, "a..."},       {7, "aé..."},
                {8, "aé..."}, {9, "aé\\n..."}, {12, "aé\\nbcdef"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[20];
        const size_t length = qn_escape(text, rows[i].size, qn_bytes_of_text("aé\nbcdef"));
        EXPECT(t, !strcmp(text, rows[i].want) && length == strlen(text), "%zu bytes gave %s",
               rows[i].size, text);
    }
}

TEST_MAIN(CASE(only_wanted_levels_are_written), CASE(silence_is_the_default),
          CASE(a_message_is_one_line_of_limited_length), CASE(pairs_cannot_be_forged),
          CASE(lines_are_made_of_pairs), CASE(a_line_that_is_full_says_so),
          CASE(escaped_text_is_cut_between_characters))
