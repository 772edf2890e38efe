/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern bench: how fast a model runs, with what memory, and where the time goes.
 *
 * Every run gets fresh random inputs (those from files stay); making them is not counted.  With
 * --sessions several threads run sessions of one plan at once and share the threads.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/cpu_count.h"
#include "base/error.h"
#include "tools/commands.h"
#include "tools/inputs.h"
#include "tools/json_file.h"
#include "tools/loaded.h"
#include "tools/machine.h"
#include "tools/peak.h"
#include "tools/profile.h"
#include "tools/progress.h"
#include "tools/sample.h"

enum { SESSIONS_MOST = 256, PROFILE_RUNS = 50 };

typedef struct Values {
    LoadOptions load;
    InputOptions inputs;
    int64_t warmup, runs, sessions;
    double duration;
    bool profile;
    const char *json;
} Values;

/* One session and what it measured; each is one thread's. */
typedef struct Worker {
    QnSession *session;
    Inputs inputs;
    QnValue *outputs;
    int output_count;
    QnRunOptions run_options;
    int64_t warmup, runs, deadline_ns; /* runs 0: until the deadline, but at least RUNS_LEAST */
    bool shows_progress;
    Sample times;
    QnStatus status;
    QnError err;
} Worker;

enum { RUNS_LEAST = 3 };

/* What is reported. */
typedef struct Result {
    const char *model;
    const Values *values;
    char cpu[128];
    int threads;
    int64_t batch, first_run_ns, load_ns;
    Sample times; /* of all workers, sorted */
    double runs_per_s;
    QnMemoryInfo memory;
    Profile profile;
} Result;

static const Option options[] = {
    INPUT_ROWS(Values, inputs),
    {"batch", 'b', OPTION_INT, offsetof(Values, inputs.batch), "N",
     "the size of open first dimensions", 1, 1 << 20},
    {"warmup", 'w', OPTION_INT, offsetof(Values, warmup), "N", "runs before measuring; default 5",
     0, 1000000},
    {"runs", 'n', OPTION_INT, offsetof(Values, runs), "N", "measured runs; default: see --duration",
     1, 100000000},
    {"duration", 'd', OPTION_REAL, offsetof(Values, duration), "S",
     "measure for so many seconds; default 3", 0, 0},
    {"sessions", 0, OPTION_INT, offsetof(Values, sessions), "N",
     "sessions that run at once; default 1", 1, SESSIONS_MOST},
    {"profile", 'p', OPTION_FLAG, offsetof(Values, profile), NULL,
     "also each step's time, and its share of the peak", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write the figures as JSON; -: stdout",
     0, 0},
    LOAD_ROWS(Values, load),
    WITHOUT_ROW(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* ---- running ---- */

static QnStatus run_once(Worker *worker, int64_t *ns)
{
    memset(worker->outputs, 0, (size_t)worker->output_count * sizeof *worker->outputs);
    inputs_refresh(&worker->inputs);
    const int64_t begin = qn_clock_now(NULL);
    const QnStatus status = qn_session_run(worker->session, worker->inputs.values, worker->outputs,
                                           &worker->run_options, &worker->err);
    *ns = qn_clock_now(NULL) - begin;
    return status;
}

static bool is_done(const Worker *worker)
{
    const size_t count = worker->times.count;
    return worker->runs ? count >= (size_t)worker->runs
                        : count >= RUNS_LEAST && qn_clock_now(NULL) >= worker->deadline_ns;
}

static void *work(void *user)
{
    Worker *worker = user;
    Progress progress = progress_begin("running");
    const int64_t begin = qn_clock_now(NULL);
    int64_t ns;
    while (worker->status == QN_OK && !is_done(worker)) {
        worker->status = run_once(worker, &ns);
        if (worker->status == QN_OK && !sample_add(&worker->times, ns))
            worker->status = qn_no_memory(&worker->err);
        if (worker->shows_progress && worker->runs)
            progress_show(&progress, (double)worker->times.count / (double)worker->runs);
        else if (worker->shows_progress)
            progress_show(&progress, (double)(qn_clock_now(NULL) - begin) /
                                         (double)(worker->deadline_ns - begin));
    }
    progress_clear(&progress);
    return NULL;
}

static QnStatus make_worker(Worker *worker, const Command *command, const Values *values,
                            Loaded *loaded, int index, QnError *err)
{
    const QnSessionOptions running = {.size = sizeof running, .pool = loaded->pool};
    InputOptions inputs = values->inputs;
    worker->output_count = qn_plan_output_count(loaded->plan);
    worker->outputs = qn_value_store_alloc(loaded->store, ((size_t)worker->output_count + 1) *
                                                              sizeof *worker->outputs);
    if (!worker->outputs)
        return qn_no_memory(err);
    if (!inputs.random)
        inputs.random = "";
    QN_TRY(inputs_make(&worker->inputs, command, loaded, &inputs, err));
    worker->inputs.random = qn_random(worker->inputs.random.seed + (uint64_t)index);
    const int share = qn_thread_pool_size(loaded->pool) / (int)values->sessions;
    worker->run_options =
        (QnRunOptions){.size = sizeof worker->run_options, .threads = share > 1 ? share : 1};
    worker->runs = values->runs;
    worker->shows_progress = index == 0;
    return qn_session_create(&worker->session, loaded->plan, &running, err);
}

/* The first run binds and takes memory; those after it warm caches and clocks. */
static QnStatus warm_up(Worker *worker, const Values *values, int64_t *first_ns)
{
    int64_t ns;
    QN_TRY(run_once(worker, first_ns));
    for (int64_t i = 0; i < values->warmup; i++)
        QN_TRY(run_once(worker, &ns));
    return QN_OK;
}

/* The first worker runs in this thread. */
static QnStatus run_workers(Worker *workers, int count, double duration, QnError *err)
{
    pthread_t threads[SESSIONS_MOST];
    int started = 1;
    const int64_t deadline = qn_deadline_after(qn_clock_now(NULL), (int64_t)(duration * 1e9));
    for (int i = 0; i < count; i++)
        workers[i].deadline_ns = deadline;
    while (started < count && pthread_create(&threads[started], NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    if (started < count)
        return qn_fail(err, QN_UNAVAILABLE, "only %d of %d threads could be started", started,
                       count);
    for (int i = 0; i < count; i++)
        if (workers[i].status != QN_OK) {
            *err = workers[i].err;
            return workers[i].status;
        }
    return QN_OK;
}

static QnStatus gather(Result *result, Worker *workers, int count, QnError *err)
{
    for (int i = 0; i < count; i++) {
        const Sample *times = &workers[i].times;
        for (size_t k = 0; k < times->count; k++)
            if (!sample_add(&result->times, times->items[k]))
                return qn_no_memory(err);
        const int64_t busy = sample_sum(times);
        result->runs_per_s += busy > 0 ? (double)times->count * 1e9 / (double)busy : 0;
    }
    sample_sort(&result->times);
    return QN_OK;
}

/* What the threads of a run can do at this moment. */
static double measure_peak(const Result *result)
{
    QnCpu cpu;
    QnCpuCount allowed;
    if (qn_cpu_detect(&cpu, NULL, getenv("QN_CPU"), NULL) != QN_OK ||
        qn_cpu_count(&allowed, NULL, NULL, NULL) != QN_OK)
        return 0;
    const int threads = result->threads / (int)result->values->sessions;
    return peak_of_threads(cpu.isa, threads < allowed.affinity ? threads : allowed.affinity);
}

/* Runs of their own: reading the clock at each step costs time.  The clock of the processor moves,
 * so its peak is measured on both sides of them. */
static QnStatus profile_runs(Result *result, Worker *worker, QnError *err)
{
    const double before = measure_peak(result);
    worker->run_options.observe = profile_observe;
    worker->run_options.user = &result->profile;
    const size_t runs = result->times.count < PROFILE_RUNS ? result->times.count : PROFILE_RUNS;
    for (size_t i = 0; i < runs; i++) {
        int64_t ns;
        if (run_once(worker, &ns) != QN_OK) {
            *err = worker->err;
            return err->status;
        }
        profile_end_run(&result->profile, ns);
    }
    result->profile.peak = (before + measure_peak(result)) / 2;
    profile_finish(&result->profile);
    return result->profile.has_no_memory ? qn_no_memory(err) : QN_OK;
}

/* ---- reporting ---- */

/* Milliseconds throughout: what people compare engines by. */
static double to_ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static double mean_ms(const Sample *times)
{
    return times->count ? to_ms(sample_sum(times)) / (double)times->count : 0;
}

static double to_mib(uint64_t bytes)
{
    return (double)bytes / 1048576;
}

static void print_result(const Result *result)
{
    const Sample *times = &result->times;
    const QnMemoryInfo *memory = &result->memory;
    printf("model       %s, batch %" PRId64 ", fp32\n", result->model, result->batch);
    printf("machine     cpu, %d threads: %s\n", result->threads, result->cpu);
    printf("latency     median %.4g ms, mean %.4g, min %.4g, max %.4g, p90 %.4g, p99 %.4g (%zu "
           "runs)\n",
           to_ms(sample_quantile(times, 0.5)), mean_ms(times), to_ms(sample_quantile(times, 0)),
           to_ms(sample_quantile(times, 1)), to_ms(sample_quantile(times, 0.9)),
           to_ms(sample_quantile(times, 0.99)), times->count);
    printf("throughput  %.5g items per second, %" PRId64 " sessions\n",
           result->runs_per_s * (double)result->batch, result->values->sessions);
    printf("start       load %.4g ms, first run %.4g ms\n", to_ms(result->load_ns),
           to_ms(result->first_run_ns));
    printf("memory      process %.1f MiB at most; activations %.2f MiB (no plan can need less than "
           "%.2f), weights %.2f, scratch %.2f, dynamic %.2f\n",
           to_mib(machine_peak_bytes()), to_mib(memory->activation_bytes),
           to_mib(memory->lower_bound_bytes), to_mib(memory->weight_bytes),
           to_mib(memory->scratch_bytes), to_mib(memory->dynamic_bytes));
    if (result->values->profile)
        profile_print(&result->profile);
}

static void put_latency(QnJsonWriter *to, const Sample *times)
{
    qn_json_put_key(to, "latency_ms");
    qn_json_put_begin(to, '{');
    json_put_real(to, "min", to_ms(sample_quantile(times, 0)));
    json_put_real(to, "median", to_ms(sample_quantile(times, 0.5)));
    json_put_real(to, "mean", mean_ms(times));
    json_put_real(to, "p90", to_ms(sample_quantile(times, 0.9)));
    json_put_real(to, "p99", to_ms(sample_quantile(times, 0.99)));
    json_put_real(to, "max", to_ms(sample_quantile(times, 1)));
    qn_json_put_end(to, '}');
}

static void put_memory(QnJsonWriter *to, const QnMemoryInfo *memory)
{
    json_put_count(to, "peak_memory_bytes", machine_peak_bytes());
    json_put_count(to, "plan_memory_bytes", memory->activation_bytes);
    json_put_count(to, "memory_lower_bound_bytes", memory->lower_bound_bytes);
    json_put_count(to, "weight_memory_bytes", memory->weight_bytes);
    json_put_count(to, "scratch_memory_bytes", memory->scratch_bytes);
    json_put_count(to, "dynamic_memory_bytes", memory->dynamic_bytes);
}

static QnStatus save_result(const Result *result, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '{');
    json_put_text(&to, "model", result->model);
    json_put_text(&to, "device", "cpu");
    json_put_count(&to, "threads", (uint64_t)result->threads);
    json_put_count(&to, "sessions", (uint64_t)result->values->sessions);
    json_put_count(&to, "batch", (uint64_t)result->batch);
    json_put_text(&to, "precision", "fp32");
    json_put_text(&to, "cpu", result->cpu);
    json_put_text(&to, "version", qn_version_text());
    json_put_count(&to, "warmup_runs", (uint64_t)result->values->warmup);
    json_put_count(&to, "runs", result->times.count);
    put_latency(&to, &result->times);
    json_put_real(&to, "throughput_per_s", result->runs_per_s * (double)result->batch);
    json_put_real(&to, "load_ms", to_ms(result->load_ns));
    json_put_real(&to, "first_run_ms", to_ms(result->first_run_ns));
    put_memory(&to, &result->memory);
    if (result->values->profile) {
        json_put_real(&to, "profile_kernel_ms", to_ms(result->profile.kernel_ns));
        json_put_real(&to, "profile_wall_ms", to_ms(result->profile.wall_ns));
        json_put_real(&to, "peak_gflops", result->profile.peak);
        qn_json_put_key(&to, "layers");
        profile_put(&result->profile, &to);
    }
    qn_json_put_end(&to, '}');
    const QnStatus status = json_save(&text, result->values->json, err);
    qn_text_finish(&text);
    return status;
}

/* ---- the command ---- */

static QnStatus measure(Result *result, Worker *workers, const Command *command, Loaded *loaded,
                        QnError *err)
{
    const Values *values = result->values;
    const int count = (int)values->sessions;
    QN_TRY(loaded_open(loaded, result->model, &values->load, err));
    for (int i = 0; i < count; i++) {
        int64_t first_ns;
        QN_TRY(make_worker(&workers[i], command, values, loaded, i, err));
        if (warm_up(&workers[i], values, &first_ns) != QN_OK) {
            *err = workers[i].err;
            return err->status;
        }
        if (i == 0)
            result->first_run_ns = first_ns;
    }
    QN_TRY(run_workers(workers, count, values->duration, err));
    QN_TRY(gather(result, workers, count, err));
    result->load_ns = loaded->load_ns;
    result->threads = qn_thread_pool_size(loaded->pool);
    result->memory = qn_session_memory(workers[0].session);
    const Inputs *inputs = &workers[0].inputs;
    result->batch = 1;
    if (inputs->count && inputs->values[0].kind == QN_TENSOR && inputs->values[0].tensor.rank > 0)
        result->batch = inputs->values[0].tensor.dims[0];
    machine_cpu_name(result->cpu, sizeof result->cpu);
    return values->profile ? profile_runs(result, &workers[0], err) : QN_OK;
}

static QnStatus report(const Result *result, QnError *err)
{
    const char *json = result->values->json;
    if (!json || strcmp(json, "-") != 0)
        print_result(result);
    return json ? save_result(result, err) : QN_OK;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {.warmup = 5, .duration = 3, .sessions = 1};
    Arguments arguments;
    Loaded loaded = {0};
    QnError err = {0};
    bool is_help;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_help);
    if (code != EXIT_DONE || is_help)
        return code;
    if (arguments.count != 1)
        return tool_usage(command, "%d models are given, expected one MODEL", arguments.count);
    if (!(values.duration >= 0 && values.duration <= 1e6))
        return tool_usage(command, "--duration is %g, expected 0 to 1e6 seconds", values.duration);
    Result result = {.model = arguments.items[0], .values = &values};
    Worker *workers = calloc((size_t)values.sessions, sizeof *workers);
    if (!workers)
        qn_no_memory(&err);
    if (!workers || measure(&result, workers, command, &loaded, &err) != QN_OK ||
        report(&result, &err) != QN_OK)
        code = tool_fail(command, &err);
    for (int64_t i = 0; workers && i < values.sessions; i++) {
        qn_session_free(workers[i].session);
        sample_free(&workers[i].times);
    }
    free(workers);
    sample_free(&result.times);
    profile_free(&result.profile);
    loaded_close(&loaded);
    return code;
}

const Command command_bench = {
    .name = "bench",
    .what = "measure latency, throughput, memory, and each step's time",
    .usage = "MODEL|PLAN [OPTION]...",
    .examples = "  quern bench yolo.onnx --threads 4 --profile\n"
                "  quern bench bert.onnx --shape batch=8 --shape seq=128 --json bert.json\n"
                "  quern bench resnet.onnx --batch 1 --sessions 4 --duration 10\n",
    .options = options,
    .run = run_command,
};
