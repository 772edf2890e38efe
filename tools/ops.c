/* SPDX-License-Identifier: Apache-2.0 */
/* quern ops: every operator the engine knows, as text, Markdown or JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "quern/unstable/catalog.h"
#include "tools/commands.h"
#include "tools/json_file.h"

typedef struct Values {
    bool markdown;
    const char *json;
} Values;

static const Option options[] = {
    {"markdown", 0, OPTION_FLAG, offsetof(Values, markdown), NULL, "print a page for people", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write it as JSON; -: stdout", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* What can be said of an operator in a word. */
static const struct {
    size_t offset;
    const char *word;
} traits[] = {
    {offsetof(QnOperatorInfo, is_elementwise), "elementwise"},
    {offsetof(QnOperatorInfo, is_in_place), "in place"},
    {offsetof(QnOperatorInfo, is_view), "view"},
    {offsetof(QnOperatorInfo, is_control), "control"},
    {offsetof(QnOperatorInfo, is_dynamic), "dynamic"},
    {offsetof(QnOperatorInfo, is_random), "random"},
};

static bool has_trait(const QnOperatorInfo *op, size_t i)
{
    return *(const bool *)((const char *)op + traits[i].offset);
}

static void list_traits(const QnOperatorInfo *op, char *text, size_t size)
{
    int at = 0;
    *text = '\0';
    for (size_t i = 0; i < QN_COUNT_OF(traits); i++)
        if (has_trait(op, i) && at < (int)size)
            at += snprintf(text + at, size - (size_t)at, "%s%s", at ? ", " : "", traits[i].word);
}

static int by_name(const void *a, const void *b)
{
    const QnOperatorInfo *x = a, *y = b;
    const int domains = strcmp(x->domain, y->domain);
    return domains ? domains : strcmp(x->name, y->name);
}

/* All operators, sorted; those given by name only, where some are. */
static QnOperatorInfo *collect(int *count, const Arguments *wanted)
{
    QnOperatorInfo op;
    int all = 0;
    while (qn_operator_info(&op, all))
        all++;
    QnOperatorInfo *ops = malloc(((size_t)all + 1) * sizeof *ops);
    *count = 0;
    for (int i = 0; ops && i < all; i++) {
        bool is_wanted = wanted->count == 0;
        qn_operator_info(&op, i);
        for (int k = 0; k < wanted->count; k++)
            is_wanted |= !strcmp(wanted->items[k], op.name);
        if (is_wanted)
            ops[(*count)++] = op;
    }
    if (ops)
        qsort(ops, (size_t)*count, sizeof *ops, by_name);
    return ops;
}

static void print_text(const QnOperatorInfo *ops, int count)
{
    for (int i = 0; i < count; i++) {
        char words[128];
        list_traits(&ops[i], words, sizeof words);
        printf("%-14s %-26s %3d  (%s) -> (%s)%s%s\n", ops[i].domain, ops[i].name, ops[i].since,
               ops[i].inputs, ops[i].outputs, *words ? "  " : "", words);
    }
    printf("%d operators\n", count);
}

static void print_markdown(const QnOperatorInfo *ops, int count)
{
    printf(
        "# Operators\n\nPrinted by `quern ops --markdown`. One version of each, the newest: older "
        "ones become it when a model is read.\n\n| domain | operator | version | inputs | outputs "
        "| traits |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < count; i++) {
        char words[128];
        list_traits(&ops[i], words, sizeof words);
        printf("| %s | %s | %d | %s | %s | %s |\n", ops[i].domain, ops[i].name, ops[i].since,
               ops[i].inputs, ops[i].outputs, words);
    }
}

static QnStatus save(const QnOperatorInfo *ops, int count, const char *path, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '[');
    for (int i = 0; i < count; i++) {
        qn_json_put_begin(&to, '{');
        json_put_text(&to, "name", ops[i].name);
        json_put_text(&to, "domain", ops[i].domain);
        json_put_int(&to, "since", ops[i].since);
        json_put_text(&to, "inputs", ops[i].inputs);
        json_put_text(&to, "outputs", ops[i].outputs);
        qn_json_put_key(&to, "traits");
        qn_json_put_begin(&to, '[');
        for (size_t k = 0; k < QN_COUNT_OF(traits); k++)
            if (has_trait(&ops[i], k))
                qn_json_put_string(&to, traits[k].word);
        qn_json_put_end(&to, ']');
        qn_json_put_end(&to, '}');
    }
    qn_json_put_end(&to, ']');
    const QnStatus status = json_save(&text, path, err);
    qn_text_finish(&text);
    return status;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {0};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int count = 0, code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    QnOperatorInfo *ops = collect(&count, &arguments);
    QnStatus status = ops ? QN_OK : qn_no_memory(&err);
    if (status == QN_OK && count == 0)
        status = qn_fail(&err, QN_NOT_FOUND, "there is no operator '%s'", arguments.items[0]);
    if (status == QN_OK && values.json)
        status = save(ops, count, values.json, &err);
    else if (status == QN_OK && values.markdown)
        print_markdown(ops, count);
    else if (status == QN_OK)
        print_text(ops, count);
    free(ops);
    return status == QN_OK ? code : tool_fail(command, &err);
}

const Command command_ops = {
    .name = "ops",
    .what = "list the operators that are supported",
    .usage = "[OPERATOR]... [OPTION]...",
    .examples = "  quern ops\n  quern ops Conv Gemm\n  quern ops --markdown > operators.md\n",
    .options = options,
    .run = run_command,
};
