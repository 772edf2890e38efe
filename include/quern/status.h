/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How every function of quern says whether it worked: a status for the program, and an error, which
 * is a sentence, for the person.
 */
#ifndef QUERN_STATUS_H
#define QUERN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared library exports; everything else is hidden. */
#if defined(__GNUC__)
#    define QN_API __attribute__((visibility("default")))
#else
#    define QN_API
#endif

/* The one list of statuses; the names and texts are made from it. */
#define QN_STATUS_MAP(X)                                           \
    X(OK, "success")                                               \
    X(NO_MEMORY, "out of memory")                                  \
    X(IO, "the system refused a read or a write")                  \
    X(BAD_ARGUMENT, "the caller broke a documented precondition")  \
    X(BAD_MODEL, "the model contradicts itself or its format")     \
    X(BAD_TENSOR, "a tensor has the wrong type or shape")          \
    X(NOT_FOUND, "no such thing")                                  \
    X(UNSUPPORTED, "valid, but not in this build or device")       \
    X(CANCELLED, "cancelled or past its deadline")                 \
    X(UNAVAILABLE, "not now: not ready, too busy or about to end") \
    X(EXISTS, "there is one of that name already")                 \
    X(INTERNAL, "it failed within, whatever the caller did")

/** The outcome of a call.  QN_OK is 0; all others are failures. */
typedef enum QnStatus {
#define QN_STATUS_ENUM(name, text) QN_##name,
    QN_STATUS_MAP(QN_STATUS_ENUM)
#undef QN_STATUS_ENUM
} QnStatus;

/** What went wrong, for people.  Lives on the caller's stack; NULL is welcome anywhere.  Written
 * only by a call that fails, which returns the same status. */
typedef struct QnError {
    QnStatus status;
    char message[1020]; /**< always terminated: "m.onnx: node 'conv1': weight has rank 3, not 4" */
} QnError;

/** The name of a status without its prefix, "BAD_MODEL".  Never NULL; any thread. */
QN_API const char *qn_status_name(QnStatus status);

/** What a status means, in a few words.  Never NULL; any thread. */
QN_API const char *qn_status_text(QnStatus status);

#ifdef __cplusplus
}
#endif
#endif
