/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/random.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

/* A model's folder with everything in it that an opener has to tell apart,
 * and a secret beside it. */
static Tree world(void)
{
    Tree tree = tree_make();
    char target[256];
    tree_write(&tree, "secret", "secret");
    tree_write(&tree, "model/weights", "0123456789");
    tree_write(&tree, "model/sub/weights", "sub");
    tree_write(&tree, "model/linked", "inside");
    snprintf(target, sizeof target, "%s", tree_path(&tree, "secret"));
    bool is_made = symlink("../secret", tree_path(&tree, "model/link")) == 0;
    is_made &= symlink(target, tree_path(&tree, "model/absolute-link")) == 0;
    is_made &= symlink("weights", tree_path(&tree, "model/harmless-link")) == 0;
    is_made &= symlink("..", tree_path(&tree, "model/up")) == 0;
    is_made &= symlink("sub", tree_path(&tree, "model/sub-link")) == 0;
    is_made &= link(target, tree_path(&tree, "model/hard")) == 0;
    is_made &= mkfifo(tree_path(&tree, "model/pipe"), 0600) == 0;
    if (!is_made) {
        perror(tree.root);
        exit(1);
    }
    return tree;
}

static QnOpener opener_of(Test *t, Tree *tree, QnOpenerOptions options)
{
    QnOpener opener = {.folder_fd = -1};
    QnError err = {0};
    EXPECT(t, qn_opener_init(&opener, tree_path(tree, "model"), &options, &err) == QN_OK, "%s",
           err.message);
    return opener;
}

/* The whole file as text, or the error. */
static const char *read_text(const QnOpener *opener, QnBytes name)
{
    static char text[sizeof(QnError) + 8];
    QnBytes bytes;
    QnError err;
    if (qn_opener_read(&bytes, opener, name, 0, QN_TO_THE_END, 1000, NULL, &err) != QN_OK) {
        snprintf(text, sizeof text, "error: %s", err.message);
        return text;
    }
    snprintf(text, sizeof text, "%.*s", (int)bytes.size,
             bytes.size ? (const char *)bytes.data : "");
    qn_free(NULL, (void *)(uintptr_t)bytes.data, bytes.size);
    return text;
}

#define LINK_REFUSED " is or passes through a symbolic link, which may leave the folder"

static const struct {
    const char *name, *want;
} spellings[] = {
    {"weights", "0123456789"},
    {"sub/weights", "sub"},
    {"./sub//weights", "sub"},
    {"...", "error: there is no file '...' in the folder"},
    {"none", "error: there is no file 'none' in the folder"},
    {"none/weights", "error: there is no file 'none/weights' in the folder"},
    {"weights/x", "error: there is no file 'weights/x' in the folder"},
    {"", "error: file name '' is empty"},
    {"/etc/passwd", "error: file name '/etc/passwd' is absolute, expected one below the folder"},
    {"..", "error: file name '..' has a '..' component and may leave the folder"},
    {"../secret", "error: file name '../secret' has a '..' component and may leave the folder"},
    {"sub/../../secret",
     "error: file name 'sub/../../secret' has a '..' component and may leave the folder"},
    {"sub/../weights",
     "error: file name 'sub/../weights' has a '..' component and may leave the folder"},
    {"sub/..", "error: file name 'sub/..' has a '..' component and may leave the folder"},
    {"..\\secret", "error: file name '..\\\\secret' has a backslash, expected '/' between folders"},
    {"C:weights", "error: file name 'C:weights' has a drive letter, expected one below the folder"},
    {"z:/weights",
     "error: file name 'z:/weights' has a drive letter, expected one below the folder"},
    {"link", "error: file name 'link'" LINK_REFUSED},
    {"absolute-link", "error: file name 'absolute-link'" LINK_REFUSED},
    {"harmless-link", "error: file name 'harmless-link'" LINK_REFUSED},
    {"up/secret", "error: file name 'up/secret'" LINK_REFUSED},
    {"sub-link/weights", "error: file name 'sub-link/weights'" LINK_REFUSED},
    {"hard",
     "error: file name 'hard' has more than one hard link, and may be a file from elsewhere"},
    {"pipe", "error: file name 'pipe' is no regular file"},
    {"sub", "error: file name 'sub' is no regular file"},
    {"sub/", "error: file name 'sub/' is no regular file"},
    {".", "error: file name '.' is no regular file"},
    {"a\nb\033", "error: there is no file 'a\\nb\\x1b' in the folder"},
};

TEST(only_regular_files_below_the_folder_are_opened)
{
    Tree tree = world();
    for (int is_old = 0; is_old < 2; is_old++) {
        QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){.is_old_kernel = is_old});
        for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
            const char *got = read_text(&opener, qn_bytes_of_text(spellings[i].name));
            EXPECT(t, !strcmp(got, spellings[i].want), "'%s'%s gave %s", spellings[i].name,
                   is_old ? " (old kernel)" : "", got);
        }
        qn_opener_finish(&opener);
    }
    tree_remove(&tree);
}

TEST(zero_bytes_and_long_names_are_refused)
{
    Tree tree = world();
    QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){0});
    const char *got = read_text(&opener, qn_bytes("weights\0/../../secret", 21));
    EXPECT(t, !strcmp(got, "error: file name 'weights\\x00/../../secret' has a zero byte"), "%s",
           got);
    char name[5000];
    memset(name, 'n', sizeof name);
    got = read_text(&opener, qn_bytes(name, sizeof name));
    EXPECT(t, strstr(got, "nnn...' is too long"), "%s", got);
    qn_opener_finish(&opener);
    tree_remove(&tree);
}

TEST(a_trusted_folder_may_have_links)
{
    Tree tree = world();
    QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){.trusts_links = true});
    static const char *const rows[][2] = {
        {"link", "secret"},
        {"sub-link/weights", "sub"},
        {"hard", "secret"},
        {"pipe", "error: file name 'pipe' is no regular file"},
        {"../secret", "error: file name '../secret' has a '..' component and may leave the folder"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = read_text(&opener, qn_bytes_of_text(rows[i][0]));
        EXPECT(t, !strcmp(got, rows[i][1]), "'%s' gave %s", rows[i][0], got);
    }
    qn_opener_finish(&opener);
    tree_remove(&tree);
}

TEST(a_range_must_lie_in_the_file)
{
    Tree tree = world();
    QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){0});
    static const struct {
        uint64_t offset, length, limit;
        const char *want;
    } rows[] = {
        {0, 10, 10, "0123456789"},
        {3, 4, 10, "3456"},
        {3, QN_TO_THE_END, 10, "3456789"},
        {10, QN_TO_THE_END, 10, ""},
        {10, 0, 10, ""},
        {11, 0, 10, "file 'weights' has 10 bytes, expected some at offset 11"},
        {11, QN_TO_THE_END, 10, "file 'weights' has 10 bytes, expected some at offset 11"},
        {3, 8, 10, "file 'weights' has 10 bytes, expected 8 at offset 3"},
        {1, UINT64_MAX - 1, UINT64_MAX,
         "file 'weights' has 10 bytes, expected 18446744073709551614 at offset 1"},
        {UINT64_MAX, 2, 10,
         "file 'weights' has 10 bytes, expected some at offset 18446744073709551615"},
        {0, 10, 9, "10 bytes of file 'weights' are more than the limit of 9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AllocFault fault;
        alloc_fault_init(&fault, 0);
        QnBytes bytes = {0};
        QnError err = {0};
        const QnStatus status =
            qn_opener_read(&bytes, &opener, qn_bytes_of_text("weights"), rows[i].offset,
                           rows[i].length, rows[i].limit, &fault.allocator, &err);
        if (status == QN_OK)
            EXPECT(t, qn_bytes_is(bytes, rows[i].want), "row %zu gave %.*s", i, (int)bytes.size,
                   bytes.data ? (const char *)bytes.data : "");
        else
            EXPECT(t, !strcmp(err.message, rows[i].want) && status == QN_BAD_ARGUMENT,
                   "row %zu: %s", i, err.message);
        EXPECT(t, status == QN_OK || qn_load_relaxed_i64(&fault.count) == 0,
               "row %zu took memory first", i);
        qn_free(&fault.allocator, (void *)(uintptr_t)bytes.data, bytes.size);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "row %zu leaks", i);
    }
    qn_opener_finish(&opener);
    tree_remove(&tree);
}

TEST(no_memory_and_no_folder_are_errors)
{
    Tree tree = world();
    QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){0}), other;
    AllocFault fault;
    QnBytes bytes;
    QnError err;
    alloc_fault_init(&fault, 1);
    EXPECT(t,
           qn_opener_read(&bytes, &opener, qn_bytes_of_text("weights"), 0, 5, 10, &fault.allocator,
                          &err) == QN_NO_MEMORY,
           "%s", err.message);
    EXPECT(t, qn_opener_init(&other, "/nonexistent/folder", NULL, &err) == QN_NOT_FOUND, "status");
    EXPECT(t, !strcmp(err.message, "/nonexistent/folder: No such file or directory"), "%s",
           err.message);
    qn_opener_finish(&opener);
    tree_remove(&tree);
}

/* Names made at random of all that could matter: what can be read is never the secret. */
TEST(no_spelling_leaves_the_folder)
{
    static const char *const parts[] = {".",
                                        "..",
                                        "/",
                                        "\\",
                                        "a",
                                        "secret",
                                        "weights",
                                        "sub",
                                        "link",
                                        "up",
                                        "hard",
                                        "%2e%2e",
                                        "%2f",
                                        "C:",
                                        "~",
                                        "\xc0\xae",
                                        "\xc0\xaf",
                                        "\xef\xbc\x8f",
                                        "harmless-link",
                                        "/proc/self/cwd",
                                        "\n",
                                        " ",
                                        "../",
                                        "/./"};
    Tree tree = world();
    QnRandom random = qn_random(1);
    for (int is_old = 0; is_old < 2; is_old++) {
        QnOpener opener = opener_of(t, &tree, (QnOpenerOptions){.is_old_kernel = is_old});
        for (int round = 0; round < 20000; round++) {
            char name[200] = "";
            for (uint64_t left = 1 + qn_random_below(&random, 6); left; left--)
                strcat(name, parts[qn_random_below(&random, sizeof parts / sizeof parts[0])]);
            const char *got = read_text(&opener, qn_bytes_of_text(name));
            EXPECT(t, strcmp(got, "secret") != 0 && strncmp(got, "root:", 5) != 0,
                   "'%s' left the folder", name);
        }
        qn_opener_finish(&opener);
    }
    tree_remove(&tree);
}

TEST_MAIN(CASE(only_regular_files_below_the_folder_are_opened),
          CASE(zero_bytes_and_long_names_are_refused), CASE(a_trusted_folder_may_have_links),
          CASE(a_range_must_lie_in_the_file), CASE(no_memory_and_no_folder_are_errors),
          CASE(no_spelling_leaves_the_folder))
