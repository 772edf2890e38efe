/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one contract between the server and whatever answers a batch: the engine, ensembles, Python
 * workers, groups of processes, compiled Triton backends.
 *
 * A request lives like this:
 *
 *     submit ──▶ execute(instance, requests) ──▶ sender: allocate, send, send … final
 *        │         the backend owns them       └─▶ release
 *        └─ refused: answered and released by the scheduler
 *
 * Answering and releasing happen in any order, on any thread, now or later.  They are apart on
 * purpose.  Releasing says "I no longer read the inputs"; the sender may outlive the request by any
 * time, so that one request can be answered never, once or many times.  Whoever holds a request
 * owns it alone; nothing of it needs a lock.
 */
#ifndef QS_BACKENDS_BACKEND_H
#define QS_BACKENDS_BACKEND_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/error.h"
#include "quern/session.h"
#include "server/config/data_type.h"

typedef struct QsModelConfig QsModelConfig;
typedef struct QsRequest QsRequest;
typedef struct QsSender QsSender;

/* ---- What is asked and what is answered ---- */

/*
 * A named tensor with its elements as on the wire: little-endian, last dimension fastest, no gaps;
 * a string is a 4-byte length and its bytes.  Inputs are read only, and what they hold was checked
 * against type, dims and size.  No alignment is promised.
 */
typedef struct QsTensor {
    const char *name; /* terminated, like all texts here */
    QsDataType type;
    int rank;                  /* 0 to QN_MAX_RANK */
    int64_t dims[QN_MAX_RANK]; /* [rank] each >= 0, with the batch dimension, where there is one */
    uint8_t *data;             /* [size_bytes]; may be NULL where that is 0 */
    size_t size_bytes;
} QsTensor;

typedef enum QsParameterKind { QS_TEXT, QS_INTEGER, QS_BOOLEAN, QS_REAL } QsParameterKind;

/* A named value beside the tensors, of a request or a response. */
typedef struct QsParameter {
    const char *name;
    QsParameterKind kind;
    const char *text; /* of kind QS_TEXT */
    int64_t integer;  /* of kind QS_INTEGER, and 0 or 1 of kind QS_BOOLEAN */
    double real;      /* of kind QS_REAL */
} QsParameter;

/* Where in a sequence a request stands.  Its correlation id is a number or a text. */
typedef struct QsSequence {
    uint64_t number;   /* 0: the id is no number, or there is no sequence */
    const char *text;  /* NULL: the id is no text, or there is no sequence */
    bool starts, ends; /* the first, the last of its sequence */
} QsSequence;

/* When things happened to a request, in nanoseconds of base/clock.h; 0: not (yet). */
typedef struct QsTimes {
    int64_t submitted;
    int64_t started;      /* an instance began with it: the scheduler's */
    int64_t inputs_ready; /* the backend began to compute */
    int64_t computed;     /* it has begun to give outputs */
    int64_t done;
} QsTimes;

/*
 * One request.  The first part is set by whoever makes it and constant from `submit` to `release`.
 * All memory it points to lives until `release` is called.
 */
struct QsRequest {
    const char *id;         /* the client's, "" without one */
    const QsTensor *inputs; /* [input_count]; control and state tensors are among them */
    size_t input_count;
    const char *const *outputs;    /* [output_count] the names asked for */
    size_t output_count;           /* 0: all outputs of the model */
    const QsParameter *parameters; /* [parameter_count] */
    size_t parameter_count;
    QsSequence sequence;
    uint64_t priority;   /* 0: the model's default */
    uint64_t timeout_us; /* the client's wish for the time in the queue; 0: none */
    int64_t batch_size;  /* the first dimension of the inputs of a model that batches, else 1 */

    QsSender *sender; /* where the answers go; the request holds a reference until its release */
    const QnCancel *cancel; /* set by any thread when the client does not want it any more;
                               NULL: it cannot */

    /*
     * Memory for the next value of a state of the request's sequence: `tensor` says which by name,
     * with its size; NULL refuses.  What is written there is an input of the sequence's next
     * request.  NULL: there is no state.
     */
    void *(*keep_state)(QsRequest *request, const QsTensor *tensor);
    void (*release)(QsRequest *request); /* called once, through qs_request_release */

    QsTimes times;
    int64_t deadline_ns; /* the scheduler's: until when it may wait in the queue */
    QsRequest *next;     /* in the list of whoever owns it */
};

/* One answer.  Borrowed until `send` returns. */
typedef struct QsResponse {
    const QnError *error;    /* NULL: it succeeded; else there are no outputs */
    const QsTensor *outputs; /* [output_count] in memory that the sender's `allocate` gave */
    size_t output_count;
    const QsParameter *parameters; /* [parameter_count] */
    size_t parameter_count;
} QsResponse;

/* ---- How it is answered ---- */

/* What a sender does; given by whoever made the request.
 * Any thread; calls about one sender do not overlap. */
typedef struct QsSenderOps {
    /*
     * Memory for the data of an output that is all but its `data`, `size_bytes` > 0, aligned to 64.
     * It belongs to the next response that is sent and lives until the client has it.  NULL
     * refuses: there is no memory.
     */
    void *(*allocate)(QsSender *sender, const QsTensor *output);
    /* An answer, or NULL with `is_final`: there is none (any more). */
    void (*send)(QsSender *sender, const QsResponse *response, bool is_final);
    /* The last reference is gone.  Nothing more will come. */
    void (*free)(QsSender *sender);
} QsSenderOps;

/* The beginning of whatever is behind the answers. */
struct QsSender {
    const QsSenderOps *ops;
    atomic_int references;
    bool is_final; /* the final flag was sent */
};

/* Begins with one reference, which becomes the request's. */
static inline void qs_sender_init(QsSender *sender, const QsSenderOps *ops)
{
    sender->ops = ops;
    atomic_init(&sender->references, 1);
    sender->is_final = false;
}

/* One more reference: for a backend that answers after it has released the request.  Any thread. */
static inline QsSender *qs_sender_acquire(QsSender *sender)
{
    atomic_fetch_add_explicit(&sender->references, 1, memory_order_relaxed);
    return sender;
}

/* Drops a reference.  A sender whose last reference goes without a final answer sends an error by
 * itself.  Any thread. */
void qs_sender_release(QsSender *sender);

/* Memory for an output; see QsSenderOps. */
static inline void *qs_sender_allocate(QsSender *sender, const QsTensor *output)
{
    return sender->ops->allocate(sender, output);
}

/* Sends an answer (NULL: none, which only the last one may be) and says whether it is the last one.
 * After the final one nothing may be sent. */
void qs_sender_send(QsSender *sender, const QsResponse *response, bool is_final);

/* Sends a failure as the final answer. */
void qs_sender_fail(QsSender *sender, const QnError *error);

/* The backend reads the inputs no more.  The request is gone after that, and its reference to the
 * sender with it. */
void qs_request_release(QsRequest *request);

/* Answers with a failure and releases:
 * what schedulers and backends do with a request they cannot serve. */
void qs_request_refuse(QsRequest *request, QnStatus status, const char *format, ...)
    QN_PRINTF(3, 4);

/* The index of the input of that name, or -1. */
int qs_request_find_input(const QsRequest *request, const char *name);

/* Has the client gone? */
static inline bool qs_request_is_cancelled(const QsRequest *request)
{
    return request->cancel && __atomic_load_n(&request->cancel->is_cancelled, __ATOMIC_RELAXED);
}

/* Is the output of that name asked for? */
bool qs_request_wants(const QsRequest *request, const char *name);

/* ---- Who answers ---- */

/* What the server does for a backend.  All functions may be called from any thread. */
typedef struct QsHost {
    void *user;
    QnThreadPool *pool; /* the process's threads for computing; borrowed */
    /*
     * A request to another model (version -1: the newest).  Takes it if it returns QN_OK, and then
     * answers through its sender whatever happens; else nothing was done with it.
     */
    QnStatus (*submit)(void *user, const char *model, int64_t version, QsRequest *request,
                       QnError *err);
    /* One line for the log.  `level` is 'E', 'W', 'I' or 'V'. */
    void (*log)(void *user, char level, const char *message);
} QsHost;

/* The model version to be loaded.  Borrowed until `load` returns, the host excepted. */
typedef struct QsModelSource {
    const char *name; /* of the model */
    int64_t version;
    const char *folder;         /* of the model */
    const char *version_folder; /* the folder of that version */
    bool may_complete; /* what the configuration leaves out may be taken from the model's file */
    int default_max_batch_size; /* for a model that can batch and does not say how much */
    const QsHost *host;         /* outlives the model */
} QsModelSource;

/* What was done with some requests at once; for the statistics. */
typedef struct QsExecution {
    int64_t batch_size;                            /* the sum of the requests' */
    int64_t started, inputs_ready, computed, done; /* as in QsTimes; computed 0: it failed */
} QsExecution;

/*
 * A backend: one constant.  `load` and `open` may run for several models at once.  An instance is
 * used by one thread at a time, not always the same.
 */
typedef struct QsBackend {
    const char *name;                   /* as in a configuration's `backend` */
    const char *default_model_filename; /* NULL: it has none */

    /*
     * Loads a version.  Completes `config`, with memory of `arena`, where the source allows that,
     * and checks the rest of it against the file.  `config` and `arena` outlive the model; `source`
     * is borrowed until it returns.
     * @return QN_BAD_MODEL, QN_UNSUPPORTED, QN_IO, QN_NO_MEMORY; *model is then unchanged.
     */
    QnStatus (*load)(void **model, const QsModelSource *source, QsModelConfig *config,
                     QnArena *arena, QnError *err);
    /* No instance of it exists any more. */
    void (*unload)(void *model);

    /* Makes the index-th instance: light, on the model's weights.  @return QN_NO_MEMORY, or why it
     * cannot be; *instance is then unchanged. */
    QnStatus (*open)(void **instance, void *model, int index, QnError *err);
    void (*close)(void *instance);

    /*
     * Takes requests[count], count >= 1, and serves them as one batch.  Returns when the instance
     * can take the next ones; answers and releases may come later.  Fills `execution` as far as it
     * knows.
     */
    void (*execute)(void *instance, QsRequest *const *requests, size_t count,
                    QsExecution *execution);

    /* Is the model well?  Any thread.  NULL: always. */
    bool (*is_healthy)(const void *model);
} QsBackend;

/* The backend of that name, a constant, or NULL.  Any thread. */
const QsBackend *qs_backend_find(const char *name);

#endif
