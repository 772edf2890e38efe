/* SPDX-License-Identifier: Apache-2.0 */
/* A model made ready to run, from the options that several commands share. */
#ifndef QN_TOOLS_LOADED_H
#define QN_TOOLS_LOADED_H

#include "quern/quern.h"
#include "quern/unstable/values.h"
#include "tools/options.h"

/* How a model is compiled and run. */
typedef struct LoadOptions {
    const char *device, *precision, *without;
    int64_t threads; /* 0: as many as this process may use */
    TextList states; /* "IN=OUT" */
    bool strict, no_reference;
    bool keep_all; /* every tensor survives */
} LoadOptions;

/* The rows of a command's option table for them; `member` is the LoadOptions in its struct. */
#define LOAD_ROWS(Struct, member)                                                                \
    {"device", 0, OPTION_TEXT, offsetof(Struct, member.device), "NAME", "where to compute: cpu", \
     0,        0},                                                                               \
        {"threads",  't',                                                                        \
         OPTION_INT, offsetof(Struct, member.threads),                                           \
         "N",        "threads; default: as many as allowed",                                     \
         1,          1024},                                                                      \
        {"precision", 0,                                                                         \
         OPTION_TEXT, offsetof(Struct, member.precision),                                        \
         "NAME",      "of the arithmetic: fp32",                                                 \
         0,           0},                                                                        \
        {"strict",    0,                                                                         \
         OPTION_FLAG, offsetof(Struct, member.strict),                                           \
         NULL,        "no kernel with more error than plain sums",                               \
         0,           0},                                                                        \
        {"state",     0,                                                                         \
         OPTION_LIST, offsetof(Struct, member.states),                                           \
         "IN=OUT",    "an output that is an input of the next run",                              \
         0,           0},                                                                        \
    {                                                                                            \
        "no-reference", 0, OPTION_FLAG, offsetof(Struct, member.no_reference), NULL,             \
            "refuse what only the slow reference computes", 0, 0                                 \
    }

/* The row that switches passes off. */
#define WITHOUT_ROW(Struct, member)                                            \
    {                                                                          \
        "without", 0, OPTION_TEXT, offsetof(Struct, member.without), "PASSES", \
            "leave out these passes; all: every one", 0, 0                     \
    }

/* A model, its plan, and what runs it.  {0} is an empty one. */
typedef struct Loaded {
    QnModel *model; /* NULL where the file is a plan */
    QnPlan *plan;
    QnThreadPool *pool;
    QnSession *session;
    QnValueStore *store; /* for inputs and what is read to compare with */
    int64_t load_ns;     /* reading and compiling */
} Loaded;

/* Is the file a plan, and not a model? */
bool loaded_is_plan(const char *path);

/* Reads and compiles a model, or loads a plan file.  QN_BAD_ARGUMENT where an option names what
 * there is not. */
QnStatus loaded_open(Loaded *out, const char *path, const LoadOptions *options, QnError *err);

/* Frees all of it; also what a failed loaded_open left. */
void loaded_close(Loaded *loaded);

#endif
