/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an expansion: names of outputs, and what nobody reads. */
#include <assert.h>
#include <string.h>

#include "engine/formats/onnx/body.h"
#include "engine/formats/onnx/validate.h"

static bool is_made(const OnnxBody *b, const char *name)
{
    for (int i = 0; i < b->made.nodes.count; i++)
        for (int k = 0; k < b->made.nodes.items[i]->outputs.count; k++)
            if (!strcmp(b->made.nodes.items[i]->outputs.items[k], name))
                return true;
    return false;
}

static void rename_all(const char **names, int count, const char *from, const char *to)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], from))
            names[i] = to;
}

/* A value that the body makes gets the name of the output; what is known of it too. */
static QnStatus rename_value(OnnxBody *b, const char *from, const char *to)
{
    for (int i = 0; i < b->made.nodes.count; i++) {
        OnnxNode *node = b->made.nodes.items[i];
        rename_all(node->inputs.items, node->inputs.count, from, to);
        rename_all(node->outputs.items, node->outputs.count, from, to);
    }
    return onnx_hint_put(b->up->hints, to, onnx_hint(b->up->hints, from));
}

static bool is_output_of_call(const OnnxBody *b, const char *name)
{
    for (int i = 0; i < b->call->outputs.count; i++)
        if (!strcmp(b->call->outputs.items[i], name))
            return true;
    return false;
}

/* An input that is passed on, and a value that is two outputs, need a node of their own. */
static QnStatus copy_value(OnnxBody *b, const char *from, const char *to)
{
    const char *unused;
    OnnxNode *node;
    QN_TRY(onnx_make_node(b->up, "Identity", ONNX_INPUTS(from), &unused, &node));
    node->outputs.items[0] = to;
    return onnx_emit(b->up, node);
}

static QnStatus name_output(OnnxBody *b, int i)
{
    const char *formal = onnx_schema_text(onnx_schema_output(b->call->schema, i)->name);
    const char *value = onnx_scope_find_here(&b->names, formal), *name = b->call->outputs.items[i];
    if (!value || !*value) {
        onnx_refuse(b->up, b->call, "onnx-output",
                    onnx_say(b->up->in, "output '%s' is asked for", formal),
                    "an output that inference gives");
        return QN_OK;
    }
    if (!is_made(b, value) || is_output_of_call(b, value))
        return copy_value(b, value, name);
    QN_TRY(rename_value(b, value, name));
    for (int k = 0; k < b->names.capacity; k++) /* the name may be that of another output too */
        if (b->names.slots[k].thing && !strcmp(b->names.slots[k].thing, value))
            b->names.slots[k].thing = (void *)(uintptr_t)name;
    return QN_OK;
}

/* --- what nobody reads --- */

static bool is_read(const OnnxBody *b, const char *name)
{
    for (int i = 0; i < b->made.nodes.count; i++)
        for (int k = 0; k < b->made.nodes.items[i]->inputs.count; k++)
            if (!strcmp(b->made.nodes.items[i]->inputs.items[k], name))
                return true;
    return is_output_of_call(b, name);
}

/* Outputs that are not read become absent; is any left? */
static bool drop_outputs(const OnnxBody *b, OnnxNode *node)
{
    int last = 0;
    for (int i = 0; i < node->outputs.count; i++) {
        if (!is_read(b, node->outputs.items[i]))
            node->outputs.items[i] = "";
        else
            last = i + 1;
    }
    node->outputs.count = last;
    return last > 0;
}

/* From the last node to the first, so that what only dropped nodes read goes too. */
static void drop_unread(OnnxBody *b)
{
    for (int i = b->made.nodes.count - 1; i >= 0; i--) {
        OnnxNode **items = b->made.nodes.items;
        if (drop_outputs(b, items[i]))
            continue;
        memmove(items + i, items + i + 1, sizeof *items * (size_t)(b->made.nodes.count - i - 1));
        b->made.nodes.count--;
    }
}

QnStatus onnx_body_finish(OnnxBody *b)
{
    for (int i = 0; !b->is_refused && i < b->call->outputs.count; i++)
        if (onnx_has_output(b->call, i))
            QN_TRY(name_output(b, i));
    drop_unread(b);
    return QN_OK;
}
