/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes between the named values of a Gradient and its y. */
#ifndef QN_ENGINE_PASSES_GRADIENT_PATH_H
#define QN_ENGINE_PASSES_GRADIENT_PATH_H

#include "engine/passes/pass.h"

/* What is known of a value while one Gradient is at work. */
typedef struct QnFlow {
    int round; /* the Gradient that it is of */
    bool is_named;
    bool is_active;     /* some of xs reaches it through floating-point numbers */
    bool is_replaced;   /* it depends on a value that another one is given for */
    QnIrValue *instead; /* that one, or what is computed again; NULL: the value itself */
    QnIrValue *into;    /* what flows into it; NULL: nothing */
    struct QnFlow *next;
    QnIrValue *value;
} QnFlow;

/* A node on the way back from y. */
typedef struct QnVisit {
    int round;
    QnNode *node, *instead; /* `instead`: the copy that is computed from what is given */
    QnIrValue **reads;      /* [read_count] inputs, and what graphs inside it read from outside */
    int read_count, at;
    bool is_active, is_replaced;
    struct QnVisit *parent;   /* while nodes are being found */
    struct QnVisit *previous; /* in the order in which they were done */
    struct QnVisit *next;     /* of all */
} QnVisit;

/* One Gradient at work. */
typedef struct QnGradient {
    QnPassCall *call;
    QnNode *node;
    int round, x_count, count; /* of xs; of xs and zs */
    QnIrValue *y;
    QnArena *scratch;
    QnFlow *flows;      /* of all rounds */
    QnVisit *visits;    /* likewise */
    QnVisit *last;      /* the node that was done last */
    int64_t read_count; /* what its nodes, and those in them, read; of all rounds, and 1 a node */
    int first_node;     /* the number of nodes before the pass */
} QnGradient;

/* QN_UNSUPPORTED: "Gradient …: on the way from its xs to 'y': Loop node …: Loop has no …". */
QnStatus qn_gradient_fail(const QnGradient *g, const QnNode *node, const char *why);

/* What is known of a value in this round; NULL where there is no memory. */
QnFlow *qn_gradient_flow(QnGradient *g, QnIrValue *value);

/* What stands for a value: what is given, or was computed again. */
QnIrValue *qn_gradient_instead(QnGradient *g, QnIrValue *value);

/* Finds the nodes that y depends on, up to the named values, from the last to the first. */
QnStatus qn_gradient_find_nodes(QnGradient *g);

/* Copies the nodes that depend on other values than those that are named. */
QnStatus qn_gradient_compute_again(QnGradient *g);

/* Gradients of gradients multiply: a model of a few lines could ask for any number of nodes.
 * QN_BAD_MODEL where these, or what they read, are too many. */
QnStatus qn_gradient_check_limit(const QnGradient *g);

/* Takes the marks from all values and nodes. */
void qn_gradient_finish(QnGradient *g);

#endif
