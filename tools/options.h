/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines from tables.  Each command has one table of options; parsing, --help, "did you
 * mean" and the checks of values come from it.
 */
#ifndef QN_TOOLS_OPTIONS_H
#define QN_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quern/status.h"

typedef enum OptionKind {
    OPTION_FLAG, /* bool */
    OPTION_TEXT, /* const char *; the last one counts */
    OPTION_INT,  /* int64_t, from least to most */
    OPTION_REAL, /* double */
    OPTION_LIST, /* TextList: may be given more than once */
} OptionKind;

enum { LIST_MOST = 256 };

typedef struct TextList {
    const char *items[LIST_MOST];
    int count;
} TextList;

typedef struct Option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* the short form; 0: none */
    OptionKind kind;
    size_t offset;     /* where the value goes in the command's struct */
    const char *value; /* what --help calls the value; "[X]": it may be left out (=X only) */
    const char *help;
    int64_t least, most; /* of OPTION_INT; both 0: any */
} Option;

typedef struct Command {
    const char *name;
    const char *what;  /* one line for `quern --help` */
    const char *usage; /* behind the name: "MODEL [OPTION]..." */
    const char *examples;
    const Option *options;
    int (*run)(const struct Command *command, int argc, char **argv);
} Command;

/* What was said, apart from options. */
typedef struct Arguments {
    const char *items[LIST_MOST];
    int count;
} Arguments;

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/*
 * Reads a command line (argv[0] is the command's name) into `values`, a struct of the command's.
 * --help prints and gives *is_done.  Wrong usage prints one sentence to stderr and returns
 * EXIT_USAGE; else EXIT_DONE.
 */
int options_parse(const Command *command, void *values, Arguments *arguments, int argc, char **argv,
                  bool *is_done);

/* Prints "quern COMMAND: message" to stderr and returns EXIT_FAILED; EXIT_USAGE for
 * QN_BAD_ARGUMENT, which is what the command line said. */
int tool_fail(const Command *command, const QnError *err);

/* The same for wrong usage: EXIT_USAGE. */
int tool_usage(const Command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
