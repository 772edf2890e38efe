/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing and --help, both from a command's one table. */
#include "tools/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"

int tool_fail(const Command *command, const QnError *err)
{
    const bool is_usage = err->status == QN_BAD_ARGUMENT;
    fprintf(stderr, "quern %s: %s%s%s%s\n", command->name, err->message,
            is_usage ? "; see quern " : "", is_usage ? command->name : "",
            is_usage ? " --help" : "");
    return is_usage ? EXIT_USAGE : EXIT_FAILED;
}

int tool_usage(const Command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "quern %s: ", command->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see quern %s --help\n", command->name);
    va_end(args);
    return EXIT_USAGE;
}

static const Option *find_name(const Command *command, const char *name, size_t size)
{
    for (const Option *option = command->options; option->name; option++)
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
            return option;
    return NULL;
}

static const Option *find_letter(const Command *command, char letter)
{
    for (const Option *option = command->options; option->name; option++)
        if (option->letter && option->letter == letter)
            return option;
    return NULL;
}

static int unknown_option(const Command *command, const char *name, size_t size)
{
    const char *names[64];
    char wanted[64];
    size_t count = 0;
    for (const Option *option = command->options; option->name && count < QN_COUNT_OF(names);
         option++)
        names[count++] = option->name;
    snprintf(wanted, sizeof wanted, "%.*s", (int)(size < 63 ? size : 63), name);
    const char *near = qn_did_you_mean(wanted, names, count);
    return tool_usage(command, "there is no option --%s%s%s%s", wanted,
                      near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
}

/* Stores one option's value; `text` NULL for flags and left-out values. */
static int store(const Command *command, const Option *option, const char *text, void *values)
{
    void *to = (char *)values + option->offset;
    int64_t number;
    switch (option->kind) {
    case OPTION_FLAG:
        if (text)
            return tool_usage(command, "--%s takes no value", option->name);
        *(bool *)to = true;
        return EXIT_DONE;
    case OPTION_TEXT:
        *(const char **)to = text ? text : "";
        return EXIT_DONE;
    case OPTION_INT:
        if (!text || !qn_parse_i64(&number, text, strlen(text)))
            return tool_usage(command, "--%s is '%s', expected a whole number", option->name,
                              text ? text : "");
        if ((option->least || option->most) && (number < option->least || number > option->most))
            return tool_usage(command, "--%s is %lld, expected %lld to %lld", option->name,
                              (long long)number, (long long)option->least, (long long)option->most);
        *(int64_t *)to = number;
        return EXIT_DONE;
    case OPTION_REAL:
        if (!text || !qn_parse_f64(to, text, strlen(text)))
            return tool_usage(command, "--%s is '%s', expected a number", option->name,
                              text ? text : "");
        return EXIT_DONE;
    case OPTION_LIST:
        if (((TextList *)to)->count == LIST_MOST)
            return tool_usage(command, "--%s is given more than %d times", option->name, LIST_MOST);
        ((TextList *)to)->items[((TextList *)to)->count++] = text ? text : "";
        return EXIT_DONE;
    }
    return EXIT_DONE;
}

static void print_help(const Command *command)
{
    printf("usage: quern %s %s\n%s\n\n", command->name, command->usage, command->what);
    for (const Option *option = command->options; option->name; option++) {
        char left[64];
        const char *value = option->value ? option->value : "";
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
                 *value && *value != '[' ? "=" : "", value);
        printf("  %-34s %s\n", left, option->help);
    }
    printf("  %-34s %s\n", "    --help", "print this");
    if (command->examples)
        printf("\nexamples:\n%s", command->examples);
}

/* An option that begins with two dashes: --name, --name=value, --name value.  Advances *i over a
 * value that stands apart. */
static int parse_long(const Command *command, void *values, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    const size_t size = equals ? (size_t)(equals - name) : strlen(name);
    const Option *option = find_name(command, name, size);
    if (!option)
        return unknown_option(command, name, size);
    const char *text = equals ? equals + 1 : NULL;
    const bool may_lack = option->kind == OPTION_FLAG || (option->value && option->value[0] == '[');
    if (!text && !may_lack) {
        if (*i + 1 >= argc)
            return tool_usage(command, "--%s lacks its %s", option->name, option->value);
        text = argv[++*i];
    }
    return store(command, option, text, values);
}

/* -x, -x value, -xvalue. */
static int parse_short(const Command *command, void *values, int argc, char **argv, int *i)
{
    const char *at = argv[*i] + 1;
    const Option *option = find_letter(command, *at);
    if (!option)
        return tool_usage(command, "there is no option -%c", *at);
    if (option->kind == OPTION_FLAG)
        return at[1] ? tool_usage(command, "-%c takes no value", *at)
                     : store(command, option, NULL, values);
    if (at[1])
        return store(command, option, at + 1, values);
    if (*i + 1 >= argc)
        return tool_usage(command, "-%c lacks its %s", *at, option->value);
    return store(command, option, argv[++*i], values);
}

int options_parse(const Command *command, void *values, Arguments *arguments, int argc, char **argv,
                  bool *is_done)
{
    bool only_arguments = false;
    *is_done = false;
    *arguments = (Arguments){.count = 0};
    for (int i = 1; i < argc; i++) {
        int code = EXIT_DONE;
        if (only_arguments || argv[i][0] != '-' || !argv[i][1]) {
            if (arguments->count == LIST_MOST)
                return tool_usage(command, "more than %d arguments", LIST_MOST);
            arguments->items[arguments->count++] = argv[i];
        } else if (!strcmp(argv[i], "--")) {
            only_arguments = true;
        } else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            print_help(command);
            *is_done = true;
            return EXIT_DONE;
        } else {
            code = argv[i][1] == '-' ? parse_long(command, values, argc, argv, &i)
                                     : parse_short(command, values, argc, argv, &i);
        }
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}
