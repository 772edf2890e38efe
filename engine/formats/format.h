/* SPDX-License-Identifier: Apache-2.0 */
/* A model format: how to recognize it, how to read it into a module, how to write it. */
#ifndef QN_ENGINE_FORMATS_FORMAT_H
#define QN_ENGINE_FORMATS_FORMAT_H

#include "base/bytes.h"
#include "base/text.h"
#include "engine/ir/graph.h"

/* What becomes of a graph input that has a default value in the file. */
typedef enum QnDefaults {
    QN_DEFAULTS_BY_FORMAT, /* as the file's version says: ONNX before IR 4 constants,
                              since then inputs */
    QN_DEFAULTS_CONSTANT,  /* a constant, and no input */
    QN_DEFAULTS_INPUT      /* an input whose value is marked is_default */
} QnDefaults;

/* {0} is the default of all. */
typedef struct QnReadOptions {
    const QnAllocator
        *allocator;     /* of the module and of the room to work in; NULL: the C library's */
    const char *format; /* a format's name; NULL or "": probe */
    const char *folder; /* where external data lies; NULL: beside `path` */
    const char *name;   /* stands for the path in messages where there is none; NULL: "model" */
    bool is_sealed;     /* refuse external data: for models that came over the network */
    bool trusts_links;  /* external data may be symbolic links and hard links (download caches) */
    bool keeps_unknown; /* operators that nobody defines become nodes instead of severe findings */
    /*
     * For looking for all that is wrong: rules are checked that no run depends on, severe findings
     * do not end the read, and there is a module then, too.  What is broken in it is a node without
     * an operator (op "") or a value without data; it is good for inference, and for nothing else.
     */
    bool is_checking;
    QnDefaults defaults;
} QnReadOptions;

/* What a reader is given: the file, room to work in (freed after the read), where to complain. */
typedef struct QnReader {
    QnBytes bytes;    /* must outlive the module: weights are views into it */
    const char *path; /* for messages, and for the files that lie beside this one; NULL: the bytes
                         have no path */
    const char *file; /* the path or what stands for it in messages; never NULL */
    QnArena *scratch;
    QnReport *report; /* every finding; reading goes on past what it does not know */
    const QnReadOptions *options;
    QnError *err; /* the worst of them */
} QnReader;

typedef struct QnFormat {
    const char *name;           /* "onnx", as in --format and in messages */
    const char *suffixes;       /* ".onnx .pb"; only breaks ties between equal probes */
    int (*probe)(QnBytes head); /* 0 = not mine ... 100 = a magic number says so */
    QnStatus (*read)(QnReader *in, QnModule *module);
    /* Appends the file's bytes; NULL: read-only. */
    QnStatus (*write)(const QnModule *module, QnText *out, QnReport *report, QnError *err);
} QnFormat;

extern const QnFormat qn_format_onnx;

/* Every format, in an order that does not matter. */
extern const QnFormat *const qn_formats[];
extern const int qn_format_count;

/* The format of that name, or NULL. */
const QnFormat *qn_format_find(const char *name);

/* The format of a file by its first bytes,
 * ties broken by the suffix of `path` (may be NULL); NULL: none. */
const QnFormat *qn_format_probe(QnBytes bytes, const char *path);

/*
 * Reads a model.  Findings of all severities go to `report` (NULL: they are lost, but the worst is
 * still in `err`).
 *
 * path: for messages and for external data; NULL: the bytes have none.  bytes: borrowed
 * until the module is freed.  options: NULL is the default.  The caller frees the module.  Fails
 * with QN_BAD_MODEL or QN_UNSUPPORTED where a finding is severe, and gives no module then.
 */
QnStatus qn_format_read(QnModule **out, const char *path, QnBytes bytes,
                        const QnReadOptions *options, QnReport *report, QnError *err);

#endif
