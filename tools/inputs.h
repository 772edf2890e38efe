/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs of a run: from files, or random, of the shapes that were asked for. */
#ifndef QN_TOOLS_INPUTS_H
#define QN_TOOLS_INPUTS_H

#include "base/random.h"
#include "tools/loaded.h"

/* What the command line says of them. */
typedef struct InputOptions {
    TextList files;     /* "NAME=FILE", or "FILE" where there is one input */
    TextList shapes;    /* "NAME=1x3x224x224", "SYMBOL=8", or "1x3" where there is one input */
    const char *random; /* a seed, "" for 0; NULL: not asked for */
    int64_t batch;      /* the size of an open first dimension; 0: not given */
} InputOptions;

#define INPUT_ROWS(Struct, member)                                             \
    {"input",     'i',                                                         \
     OPTION_LIST, offsetof(Struct, member.files),                              \
     "NAME=FILE", "an input: .npy .npz .pb .json .bin or a picture",           \
     0,           0},                                                          \
        {"shape",                                                              \
         's',                                                                  \
         OPTION_LIST,                                                          \
         offsetof(Struct, member.shapes),                                      \
         "NAME=1x3x8",                                                         \
         "an input's shape, or an open dimension's size",                      \
         0,                                                                    \
         0},                                                                   \
    {                                                                          \
        "random", 'r', OPTION_TEXT, offsetof(Struct, member.random), "[SEED]", \
            "random values for inputs without a file", 0, 0                    \
    }

/* What was settled for a model. */
typedef struct Inputs {
    int count;
    QnValueInfo *infos;           /* [count] */
    int64_t (*dims)[QN_MAX_RANK]; /* [count] -1 only where a file tells */
    const char **files;           /* [count] NULL: random, or left out */
    QnValue *values;              /* [count] */
    QnRandom random;
} Inputs;

/*
 * Settles shapes and reads files.  Open dimensions that nothing tells are 1, said on stderr.  All
 * of it lives in the store of `loaded`.  QN_BAD_ARGUMENT where an option does not fit the model.
 */
QnStatus inputs_make(Inputs *out, const Command *command, const Loaded *loaded,
                     const InputOptions *options, QnError *err);

/* Gives inputs without a file new random values, in place: floats in [0, 1), integers and booleans
 * 0 or 1. */
void inputs_refresh(Inputs *inputs);

#endif
