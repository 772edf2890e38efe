/* SPDX-License-Identifier: Apache-2.0 */
/* quern <command>: finds the command and hands it the rest of the line. */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"
#include "quern/quern.h"
#include "tools/commands.h"
#include "tools/image.h"
#include "tools/inflate.h"

static const Command *const commands[] = {
    &command_run,
    &command_test,
};

static void print_help(void)
{
    puts(
        "usage: quern COMMAND [OPTION]...\nReads, checks, compiles, runs and serves trained neural networks.\n");
    for (size_t i = 0; i < QN_COUNT_OF(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->what);
    puts("\nquern COMMAND --help tells more; quern --version what this is.");
}

/* The version, and the optional parts that this build has. */
static void print_version(void)
{
    printf("quern %s\n", qn_version_text());
    printf("pictures:");
    for (int i = 0; image_formats[i]; i++)
        printf("%s %s%s%s%s", i ? "," : "", image_formats[i]->name,
               image_formats[i]->version ? " (" : "",
               image_formats[i]->version ? image_formats[i]->version() : "",
               image_formats[i]->version ? ")" : "");
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

int main(int argc, char **argv)
{
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
    for (size_t i = 0; i < QN_COUNT_OF(commands); i++)
        if (!strcmp(argv[1], commands[i]->name))
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
