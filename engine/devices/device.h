/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who computes: the contract between the planner and a device.
 *
 * The planner walks the graph in order.  For each node it asks the device for offers: candidate
 * steps that compute this node and perhaps some that follow (a fusion).  It adds the cost of
 * bringing inputs into the layout an offer wants, takes the cheapest, and has the step made.  Where
 * there is none, the operator's reference computes the node.
 *
 * Building a plan is one thread's work, and a device belongs to one plan; sessions share its steps.
 */
#ifndef QN_ENGINE_DEVICES_DEVICE_H
#define QN_ENGINE_DEVICES_DEVICE_H

#include "base/report.h"
#include "engine/ops/op.h"
#include "engine/plan/step.h"

typedef struct QnDevice QnDevice;
typedef struct QnOffer QnOffer;

/* The most that one offer may compute, read and write. */
enum { QN_OFFER_NODES = 48, QN_OFFER_INPUTS = 32, QN_OFFER_OUTPUTS = 32 };

/*
 * What a step is made with.  The arena lives as long as the plan; what is packed once and may be
 * mapped from a plan file goes through `pack`.
 */
typedef struct QnMake {
    QnArena *arena;
    /*
     * Gives read-only memory (64-byte aligned) of `size` bytes for a packing of `constant`; `fill`
     * writes it, and is not called where a plan file has it already.  kind: the packing's name, its
     * version and parameters ("gemm_f32:1:3x3"), a constant of the program; equal (constant, kind,
     * size) share.  NULL: no memory, or the plan file lacks it and the constant's data, of which
     * the planner makes a sentence.
     */
    const void *(*pack)(void *user, const QnTensor *constant, const char *kind, size_t size,
                        void (*fill)(void *to, void *context), void *context);
    void *user; /* handed to `pack` */
    QnError *err;
} QnMake;

/* A candidate step for a group of nodes.  {0} in all that an offer does not say. */
struct QnOffer {
    const QnStepCode *code; /* a constant */
    const char *kernel;     /* the name of the variant, for profiles; a constant */
    QnTier tier;
    /* What it computes: the asked node first, the others in graph order.  Values between them that
     * others read, or that are graph outputs, must be among its outputs. */
    const QnNode *nodes[QN_OFFER_NODES];
    int node_count;
    const QnIrValue *inputs[QN_OFFER_INPUTS]; /* what it reads; constants that it packs are left
                                                 out; NULL: absent */
    unsigned accepts[QN_OFFER_INPUTS];        /* QN_ACCEPT_* for each input */
    int input_count;
    const QnIrValue *outputs[QN_OFFER_OUTPUTS]; /* what it writes; NULL: not wanted */
    QnLayoutKind layouts[QN_OFFER_OUTPUTS];     /* how it writes each */
    /* All inputs of the output's rank and the outputs have one layout, PLAIN or NHWC: that of the
     * first input; `layouts` is not looked at.  Broadcast inputs are as `accepts` says. */
    bool same_layout;
    /* Output 0 is input 0's data with other dims and strides: nothing runs; code->bind writes the
     * output's strides and, as the first parameter (int64_t), its offset in bytes. */
    bool is_view;
    /* Only running tells the outputs' shapes: code->run makes them, in memory of its call's
     * `allocate`.  For nodes whose shapes are not known before, and only for these. */
    bool gives_shapes;
    int in_place;  /* 1 + the input whose memory output 0 may take over; 0: none */
    double cost;   /* predicted nanoseconds on one thread at the planning shapes */
    void *context; /* for make; in the call's arena */
    /* Makes the step's data, in the arena of `make`.  Called once, if the offer is taken; the offer
     * is borrowed.  QN_NO_MEMORY.  NULL: data is `context`. */
    QnStatus (*make)(const QnOffer *offer, QnMake *make, const void **data);
};

/* What a device is asked with. */
typedef struct QnOfferCall {
    const QnDevice *device;
    const QnNode *node; /* the node to compute */
    QnArena *arena;     /* for contexts; lives as long as the plan */
    /* [dims.count] planning values of the module's dims, for costs: qn_dim_value(dim, sizes). */
    const int64_t *sizes;
    /* Is that node already part of a step? */
    bool (*is_taken)(const struct QnOfferCall *call, const QnNode *node);
    /* How an input lies, as planned so far. */
    QnLayoutKind (*layout)(const struct QnOfferCall *call, const QnIrValue *value);
    bool is_strict; /* math=strict: no reassociation beyond what the reference may do */
    bool keep_all;  /* offer single nodes only: every tensor of the graph is wanted */
    void *user;     /* the planner's */
    /* Takes a copy of an offer.  Of equal costs the first is taken, so their order is part of what
     * a plan file means. */
    void (*offer)(struct QnOfferCall *call, const QnOffer *offer);
    QnError *err;
} QnOfferCall;

/* A device that computes on the host's memory. */
struct QnDevice {
    const char *name; /* "cpu" */
    void *state;      /* the device's own */
    /* Offers steps for call->node by call->offer.
     * None: the device cannot compute it.  QN_NO_MEMORY. */
    QnStatus (*offers)(QnOfferCall *call);
    /* The step code that copies between any two layouts of one type and shape:
     * input 0 to output 0. */
    const QnStepCode *convert;
    const void *convert_data;       /* the data of such steps */
    void (*free)(QnDevice *device); /* called once, with the plan; NULL: nothing to give back */
};

#endif
