/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern <command>: finds the command and hands it the rest of the line.  Called under another
 * program's name (by a link), it is the command that stands in for that program.
 */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/image/image.h"
#include "base/library.h"
#include "base/regex.h"
#include "base/text.h"
#include "quern/quern.h"
#include "tools/commands.h"
#include "tools/inflate.h"

#ifdef QN_HAS_SERVER
#    include "server/main.h"

/* The server reads its options by its own table. */
static int run_serve(const Command *command, int argc, char **argv)
{
    (void)command;
    return qs_main(argc, argv);
}

static const Command command_serve = {
    .name = "serve", .what = "serve a repository of models over HTTP", .run = run_serve};
#endif

static const Command *const commands[] = {
#define ROW(name) &command_##name,
    TOOL_COMMANDS(ROW)
#undef ROW
#ifdef QN_HAS_SERVER
        & command_serve,
#endif
};

/* Programs that a command stands in for. */
static const struct {
    const char *program, *command;
} aliases[] = {
    {"tritonserver", "serve"},
};

static void print_help(void)
{
    puts(
        "usage: quern COMMAND [OPTION]...\nReads, checks, compiles, runs and serves trained neural networks.\n");
    for (size_t i = 0; i < QN_COUNT_OF(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->what);
    puts("\nquern COMMAND --help tells more; quern --version what this is.");
}

/* An optional part: the library behind it, or why it is not there. */
static void print_part(const char *(*version)(const char **file), const char *library)
{
    const char *file = NULL, *text = version ? version(&file) : NULL;
    if (!text)
        printf(" (absent: built without %s)", library);
    else if (!qn_library_is_there(file))
        printf(" (absent: there is no %s)", file);
    else
        printf(" (%s)", text);
}

static void print_pictures(void)
{
    printf("pictures:");
    for (const QnImageFormat *format = qn_image_formats; format->name; format++) {
        printf("%s %s", format > qn_image_formats ? "," : "", format->name);
        if (format->library)
            print_part(format->version, format->library);
    }
    printf("\n");
}

/* The version, and the optional parts that this build has. */
static void print_version(void)
{
    printf("quern %s\n", qn_version_text());
    print_pictures();
    printf("expressions: regular");
    print_part(qn_regex_version, "PCRE2");
    printf("\narchives: stored%s%s%s\n", inflate_version() ? ", deflated (" : "",
           inflate_version() ? inflate_version() : "", inflate_version() ? ")" : "");
}

static int unknown_command(const char *name)
{
    const char *names[QN_COUNT_OF(commands)];
    for (size_t i = 0; i < QN_COUNT_OF(commands); i++)
        names[i] = commands[i]->name;
    const char *near = qn_did_you_mean(name, names, QN_COUNT_OF(commands));
    fprintf(stderr, "quern: there is no command '%s'%s%s%s; see quern --help\n", name,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return EXIT_USAGE;
}

static const Command *find_command(const char *name)
{
    for (size_t i = 0; i < QN_COUNT_OF(commands); i++)
        if (!strcmp(name, commands[i]->name))
            return commands[i];
    return NULL;
}

/* The command that the program's own name stands for; NULL: none, or not in this build. */
static const Command *find_alias(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < QN_COUNT_OF(aliases); i++)
        if (!strcmp(name, aliases[i].program))
            return find_command(aliases[i].command);
    return NULL;
}

int main(int argc, char **argv)
{
    const Command *command = argc > 0 ? find_alias(argv[0]) : NULL;
    if (command)
        return command->run(command, argc, argv);
    if (argc < 2) {
        print_help();
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help();
        return EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        print_version();
        return EXIT_DONE;
    }
    command = find_command(argv[1]);
    return command ? command->run(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}
