/* SPDX-License-Identifier: Apache-2.0 */
/* quern inspect: what is in a model, and what plan it becomes; as text or JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "quern/unstable/graph.h"
#include "quern/unstable/plan_view.h"
#include "tools/commands.h"
#include "tools/json_file.h"
#include "tools/loaded.h"
#include "tools/tally.h"

typedef struct Values {
    LoadOptions load;
    bool nodes, plan, after_passes;
    const char *json;
} Values;

static const Option options[] = {
    {"nodes", 'n', OPTION_FLAG, offsetof(Values, nodes), NULL, "list every node", 0, 0},
    {"after-passes", 0, OPTION_FLAG, offsetof(Values, after_passes), NULL,
     "the graph after all passes, not the file's", 0, 0},
    {"plan", 'p', OPTION_FLAG, offsetof(Values, plan), NULL, "list the plan's steps", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write it as JSON; -: stdout", 0, 0},
    LOAD_ROWS(Values, load),
    WITHOUT_ROW(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* What is looked at. */
typedef struct Subject {
    const char *path;
    const Values *values;
    Loaded loaded;
    QnGraphView *graph;
    QnPlanView *plan; /* NULL: not asked for */
    QnArena arena;
    Tally operators;
    int constant_count;
    uint64_t parameter_count, parameter_bytes;
} Subject;

static QnStatus tally_graph(Subject *subject)
{
    subject->operators.arena = &subject->arena;
    for (int i = 0; i < qn_graph_view_node_count(subject->graph); i++) {
        const QnGraphNode *node = qn_graph_view_node(subject->graph, i);
        const char *name = *node->domain
                               ? qn_arena_printf(&subject->arena, "%s.%s", node->domain, node->op)
                               : node->op;
        if (!name)
            return QN_NO_MEMORY;
        QN_TRY(tally_add(&subject->operators, name));
    }
    for (int i = 0; i < qn_graph_view_value_count(subject->graph); i++) {
        const QnGraphValue *value = qn_graph_view_value(subject->graph, i);
        if (!value->is_constant)
            continue;
        subject->constant_count++;
        subject->parameter_count += value->constant_count;
        subject->parameter_bytes += value->constant_bytes;
    }
    tally_sort(&subject->operators);
    return QN_OK;
}

/* A plan is made only where it is asked for: a model that cannot be compiled can be looked at. */
static QnStatus open_subject(Subject *subject, QnError *err)
{
    const Values *values = subject->values;
    const bool needs_plan = values->plan || values->after_passes || loaded_is_plan(subject->path);
    const QnModelOptions reading = {.size = sizeof reading};
    if (needs_plan)
        QN_TRY(loaded_open(&subject->loaded, subject->path, &values->load, err));
    else
        QN_TRY(qn_model_load(&subject->loaded.model, subject->path, &reading, NULL, err));
    const bool is_after = values->after_passes || !subject->loaded.model;
    if (is_after)
        QN_TRY(qn_graph_view_plan(&subject->graph, subject->loaded.plan, err));
    else
        QN_TRY(qn_graph_view_model(&subject->graph, subject->loaded.model, err));
    if (values->plan)
        QN_TRY(qn_plan_view_create(&subject->plan, subject->loaded.plan, err));
    return tally_graph(subject) == QN_OK ? QN_OK : qn_no_memory(err);
}

static void close_subject(Subject *subject)
{
    qn_plan_view_free(subject->plan);
    qn_graph_view_free(subject->graph);
    loaded_close(&subject->loaded);
    qn_arena_finish(&subject->arena);
}

/* ---- what the file and the plan have in common ---- */

static int count_ends(const Subject *subject, bool is_output)
{
    const Loaded *loaded = &subject->loaded;
    if (loaded->model)
        return is_output ? qn_model_output_count(loaded->model)
                         : qn_model_input_count(loaded->model);
    return is_output ? qn_plan_output_count(loaded->plan) : qn_plan_input_count(loaded->plan);
}

static QnValueInfo find_end(const Subject *subject, bool is_output, int i)
{
    const Loaded *loaded = &subject->loaded;
    if (loaded->model)
        return is_output ? qn_model_output(loaded->model, i) : qn_model_input(loaded->model, i);
    return is_output ? qn_plan_output(loaded->plan, i) : qn_plan_input(loaded->plan, i);
}

static const char *tier_name(int tier)
{
    static const char *const names[] = {"-", "reference", "portable", "tuned"};
    return tier >= 0 && tier < 4 ? names[tier] : "?";
}

/* ---- text ---- */

static void print_ends(const Subject *subject, bool is_output)
{
    for (int i = 0; i < count_ends(subject, is_output); i++) {
        const QnValueInfo info = find_end(subject, is_output, i);
        printf("%-9s %s: %s%s\n",
               i           ? ""
               : is_output ? "outputs"
                           : "inputs",
               info.name, info.type_text, info.is_optional ? ", may be left out" : "");
    }
}

static void print_properties(const Subject *subject)
{
    const char *key, *value;
    for (int i = 0;
         subject->loaded.model && qn_model_property(&key, &value, subject->loaded.model, i); i++)
        printf("%-9s %s: %.200s%s\n", i ? "" : "metadata", key, value,
               strlen(value) > 200 ? "..." : "");
}

static void print_summary(const Subject *subject)
{
    const Tally *operators = &subject->operators;
    printf("model     %s", subject->path);
    if (qn_graph_view_opset(subject->graph))
        printf(", opset %d", qn_graph_view_opset(subject->graph));
    putchar('\n');
    print_properties(subject);
    print_ends(subject, false);
    print_ends(subject, true);
    printf("weights   %" PRIu64 " numbers in %d constants, %.2f MiB\n", subject->parameter_count,
           subject->constant_count, (double)subject->parameter_bytes / 1048576);
    printf("nodes     %d of %d kinds:", qn_graph_view_node_count(subject->graph), operators->count);
    for (int i = 0; i < operators->count; i++)
        printf("%s %s %d", i ? "," : "", operators->rows[i].name, operators->rows[i].count);
    putchar('\n');
}

static void print_value(const QnGraphView *graph, int index, const char *before)
{
    if (index < 0) {
        printf("%s_", before);
        return;
    }
    const QnGraphValue *value = qn_graph_view_value(graph, index);
    printf("%s%s: %s%s", before, value->name, value->type_text, value->is_constant ? " const" : "");
}

static void print_node(const QnGraphView *graph, int index)
{
    const QnGraphNode *node = qn_graph_view_node(graph, index);
    const int margin = 2 * node->depth;
    printf("%*s%d %s%s%s%s%s\n", margin, "", index, node->domain, *node->domain ? "." : "",
           node->op, *node->name ? " " : "", node->name);
    for (int i = 0; i < node->input_count; i++) {
        printf("%*s", margin, "");
        print_value(graph, node->inputs[i], "    <- ");
        putchar('\n');
    }
    for (int i = 0; i < node->output_count; i++) {
        printf("%*s", margin, "");
        print_value(graph, node->outputs[i], "    -> ");
        putchar('\n');
    }
    for (int i = 0; i < node->attribute_count; i++)
        printf("%*s    %s = %.200s%s\n", margin, "", node->attributes[i].name,
               node->attributes[i].text, strlen(node->attributes[i].text) > 200 ? "..." : "");
}

static void print_step_value(const QnPlanView *plan, int index, const char *before)
{
    if (index < 0) {
        printf("%s_", before);
        return;
    }
    const QnPlanValueInfo value = qn_plan_view_value(plan, index);
    printf("%s%s: %s (%s, %s)", before, *value.name ? value.name : "(made)", value.type_text,
           value.layout, value.storage);
}

static void print_plan(const QnPlanView *plan)
{
    printf("\nplan: %d steps, %d values, %.2f MiB of packed weights and constants\n",
           qn_plan_view_step_count(plan), qn_plan_view_value_count(plan),
           (double)qn_plan_view_weight_bytes(plan) / 1048576);
    for (int i = 0; i < qn_plan_view_step_count(plan); i++) {
        const QnPlanStepInfo step = qn_plan_view_step(plan, i);
        printf("%4d %-11s %-9s %8.1f us  %s", i, step.kind, tier_name(step.tier),
               step.cost_ns / 1000, step.kernel);
        if (*step.op)
            printf("  %s%s%s", step.op, *step.name ? " " : "", step.name);
        if (step.node_count > 1)
            printf(" (and %d nodes more)", step.node_count - 1);
        if (step.target >= 0)
            printf(" to %d", step.target);
        putchar('\n');
        for (int k = 0; k < step.input_count; k++)
            print_step_value(plan, step.inputs[k], k ? ", " : "       <- ");
        if (step.input_count)
            putchar('\n');
        for (int k = 0; k < step.output_count; k++)
            print_step_value(plan, step.outputs[k], k ? ", " : "       -> ");
        if (step.output_count)
            putchar('\n');
    }
}

static void print_subject(const Subject *subject)
{
    print_summary(subject);
    if (subject->values->nodes) {
        putchar('\n');
        for (int i = 0; i < qn_graph_view_node_count(subject->graph); i++)
            print_node(subject->graph, i);
    }
    if (subject->plan)
        print_plan(subject->plan);
}

/* ---- JSON ---- */

static void put_ends(QnJsonWriter *to, const Subject *subject, bool is_output)
{
    qn_json_put_key(to, is_output ? "outputs" : "inputs");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < count_ends(subject, is_output); i++) {
        const QnValueInfo info = find_end(subject, is_output, i);
        qn_json_put_begin(to, '{');
        json_put_text(to, "name", info.name);
        json_put_text(to, "type", info.type_text);
        json_put_flag(to, "optional", info.is_optional);
        if (info.kind == QN_TENSOR) {
            json_put_text(to, "element", qn_type_name(info.type));
            qn_json_put_key(to, "shape");
            if (info.rank < 0)
                qn_json_put_null(to);
            else
                qn_json_put_begin(to, '[');
            for (int d = 0; d < info.rank; d++)
                if (info.dims[d] < 0 && info.symbols[d])
                    qn_json_put_string(to, info.symbols[d]);
                else
                    qn_json_put_i64(to, info.dims[d]);
            if (info.rank >= 0)
                qn_json_put_end(to, ']');
        }
        qn_json_put_end(to, '}');
    }
    qn_json_put_end(to, ']');
}

static void put_properties(QnJsonWriter *to, const Subject *subject)
{
    const char *key, *value;
    qn_json_put_key(to, "metadata");
    qn_json_put_begin(to, '{');
    for (int i = 0;
         subject->loaded.model && qn_model_property(&key, &value, subject->loaded.model, i); i++)
        json_put_text(to, key, value);
    qn_json_put_end(to, '}');
}

/* Indices of values as [{name, type, constant}], null where absent. */
static void put_node_values(QnJsonWriter *to, const QnGraphView *graph, const char *key,
                            const int *indices, int count)
{
    qn_json_put_key(to, key);
    qn_json_put_begin(to, '[');
    for (int i = 0; i < count; i++) {
        if (indices[i] < 0) {
            qn_json_put_null(to);
            continue;
        }
        const QnGraphValue *value = qn_graph_view_value(graph, indices[i]);
        qn_json_put_begin(to, '{');
        json_put_text(to, "name", value->name);
        json_put_text(to, "type", value->type_text);
        json_put_flag(to, "constant", value->is_constant);
        qn_json_put_end(to, '}');
    }
    qn_json_put_end(to, ']');
}

static void put_node(QnJsonWriter *to, const QnGraphView *graph, const QnGraphNode *node)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "name", node->name);
    json_put_text(to, "op", node->op);
    json_put_text(to, "domain", node->domain);
    json_put_text(to, "source_op", node->source_op);
    json_put_int(to, "source_since", node->source_since);
    json_put_int(to, "parent", node->parent);
    put_node_values(to, graph, "inputs", node->inputs, node->input_count);
    put_node_values(to, graph, "outputs", node->outputs, node->output_count);
    qn_json_put_key(to, "attributes");
    qn_json_put_begin(to, '{');
    for (int i = 0; i < node->attribute_count; i++)
        json_put_text(to, node->attributes[i].name, node->attributes[i].text);
    qn_json_put_end(to, '}');
    qn_json_put_end(to, '}');
}

static void put_graph(QnJsonWriter *to, const Subject *subject)
{
    qn_json_put_key(to, "operators");
    qn_json_put_begin(to, '{');
    for (int i = 0; i < subject->operators.count; i++)
        json_put_int(to, subject->operators.rows[i].name, subject->operators.rows[i].count);
    qn_json_put_end(to, '}');
    json_put_int(to, "node_count", qn_graph_view_node_count(subject->graph));
    json_put_count(to, "parameter_count", subject->parameter_count);
    json_put_count(to, "parameter_bytes", subject->parameter_bytes);
    if (!subject->values->nodes)
        return;
    qn_json_put_key(to, "nodes");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < qn_graph_view_node_count(subject->graph); i++)
        put_node(to, subject->graph, qn_graph_view_node(subject->graph, i));
    qn_json_put_end(to, ']');
}

static void put_indices(QnJsonWriter *to, const char *key, const int *indices, int count)
{
    qn_json_put_key(to, key);
    qn_json_put_begin(to, '[');
    for (int i = 0; i < count; i++)
        qn_json_put_i64(to, indices[i]);
    qn_json_put_end(to, ']');
}

static void put_step(QnJsonWriter *to, const QnPlanStepInfo *step)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "kind", step->kind);
    json_put_text(to, "name", step->name);
    json_put_text(to, "op", step->op);
    json_put_text(to, "kernel", step->kernel);
    json_put_text(to, "tier", tier_name(step->tier));
    json_put_int(to, "node_count", step->node_count);
    json_put_real(to, "cost_us", step->cost_ns / 1000);
    put_indices(to, "inputs", step->inputs, step->input_count);
    put_indices(to, "outputs", step->outputs, step->output_count);
    if (step->target >= 0)
        json_put_int(to, "target", step->target);
    qn_json_put_end(to, '}');
}

static void put_plan(QnJsonWriter *to, const QnPlanView *plan)
{
    qn_json_put_key(to, "plan");
    qn_json_put_begin(to, '{');
    json_put_count(to, "weight_bytes", qn_plan_view_weight_bytes(plan));
    qn_json_put_key(to, "steps");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < qn_plan_view_step_count(plan); i++) {
        const QnPlanStepInfo step = qn_plan_view_step(plan, i);
        put_step(to, &step);
    }
    qn_json_put_end(to, ']');
    qn_json_put_key(to, "values");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < qn_plan_view_value_count(plan); i++) {
        const QnPlanValueInfo value = qn_plan_view_value(plan, i);
        qn_json_put_begin(to, '{');
        json_put_text(to, "name", value.name);
        json_put_text(to, "type", value.type_text);
        json_put_text(to, "layout", value.layout);
        json_put_text(to, "storage", value.storage);
        json_put_int(to, "base", value.base);
        json_put_int(to, "first", value.first);
        json_put_int(to, "last", value.last);
        qn_json_put_end(to, '}');
    }
    qn_json_put_end(to, ']');
    qn_json_put_end(to, '}');
}

static QnStatus save_subject(const Subject *subject, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '{');
    json_put_text(&to, "model", subject->path);
    json_put_int(&to, "opset", qn_graph_view_opset(subject->graph));
    put_properties(&to, subject);
    put_ends(&to, subject, false);
    put_ends(&to, subject, true);
    put_graph(&to, subject);
    if (subject->plan)
        put_plan(&to, subject->plan);
    qn_json_put_end(&to, '}');
    const QnStatus status = json_save(&text, subject->values->json, err);
    qn_text_finish(&text);
    return status;
}

/* ---- the command ---- */

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {0};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count != 1)
        return tool_usage(command, "%d models are given, expected one MODEL", arguments.count);
    Subject subject = {.path = arguments.items[0], .values = &values};
    QnStatus status = open_subject(&subject, &err);
    if (status == QN_OK && (!values.json || strcmp(values.json, "-") != 0))
        print_subject(&subject);
    if (status == QN_OK && values.json)
        status = save_subject(&subject, &err);
    if (status != QN_OK)
        code = tool_fail(command, &err);
    close_subject(&subject);
    return code;
}

const Command command_inspect = {
    .name = "inspect",
    .what = "show what is in a model, and the plan it becomes",
    .usage = "MODEL|PLAN [OPTION]...",
    .examples = "  quern inspect yolo.onnx\n"
                "  quern inspect yolo.onnx --nodes --after-passes\n"
                "  quern inspect yolo.onnx --plan --json plan.json\n",
    .options = options,
    .run = run_command,
};
