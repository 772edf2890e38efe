/* SPDX-License-Identifier: Apache-2.0 */
/* Times by step: summed within a run, since a loop runs a step many times; medians over runs. */
#include "tools/profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/json_file.h"

static Layer *find_layer(Profile *profile, int step)
{
    if (step < profile->count)
        return &profile->layers[step];
    const int count = step + 1;
    Layer *layers = realloc(profile->layers, (size_t)count * sizeof *layers);
    if (!layers) {
        profile->has_no_memory = true;
        return NULL;
    }
    for (int i = profile->count; i < count; i++)
        layers[i] = (Layer){.run_ns = -1};
    profile->layers = layers;
    profile->count = count;
    return &layers[step];
}

void profile_observe(void *user, const QnStepEvent *event)
{
    Layer *layer = find_layer(user, event->step);
    if (!layer)
        return;
    layer->name = event->name ? event->name : "";
    layer->op = event->op ? event->op : "";
    layer->kernel = event->kernel ? event->kernel : "";
    layer->tier = event->tier;
    layer->run_operations = (layer->run_ns < 0 ? 0 : layer->run_operations) + event->operations;
    layer->run_ns = (layer->run_ns < 0 ? 0 : layer->run_ns) + event->nanoseconds;
}

void profile_end_run(Profile *profile, int64_t wall_ns)
{
    bool is_kept = sample_add(&profile->walls, wall_ns);
    for (int i = 0; i < profile->count; i++) {
        Layer *layer = &profile->layers[i];
        if (layer->run_ns >= 0) {
            is_kept &= sample_add(&layer->times, layer->run_ns);
            layer->operations = layer->run_operations;
        }
        layer->run_ns = -1;
    }
    profile->has_no_memory |= !is_kept;
}

void profile_finish(Profile *profile)
{
    sample_sort(&profile->walls);
    profile->wall_ns = sample_quantile(&profile->walls, 0.5);
    for (int i = 0; i < profile->count; i++) {
        Layer *layer = &profile->layers[i];
        sample_sort(&layer->times);
        layer->median_ns = sample_quantile(&layer->times, 0.5);
        profile->kernel_ns += layer->median_ns;
    }
    for (int i = 0; i < profile->count; i++) {
        Layer *layer = &profile->layers[i];
        if (profile->kernel_ns)
            layer->share = (double)layer->median_ns / (double)profile->kernel_ns;
        if (layer->median_ns && profile->peak > 0)
            layer->peak_share = layer->operations / (double)layer->median_ns / profile->peak;
    }
}

static const char *tier_name(int tier)
{
    static const char *const names[] = {"-", "reference", "portable", "tuned"};
    return tier >= 0 && tier < 4 ? names[tier] : "?";
}

static int slowest_first(const void *a, const void *b)
{
    const Layer *x = *(const Layer *const *)a, *y = *(const Layer *const *)b;
    if (x->median_ns != y->median_ns)
        return x->median_ns < y->median_ns ? 1 : -1;
    return (x > y) - (x < y);
}

static void print_layer(const Layer *layer)
{
    char peak[16] = "-";
    if (layer->peak_share > 0)
        snprintf(peak, sizeof peak, "%.1f%%", layer->peak_share * 100);
    printf("%10.2f %6.2f%% %7s  %-9s %-18s %-28s %s\n", (double)layer->median_ns / 1e3,
           layer->share * 100, peak, tier_name(layer->tier), layer->op, layer->kernel, layer->name);
}

void profile_print(const Profile *profile)
{
    const Layer **sorted = malloc(((size_t)profile->count + 1) * sizeof *sorted);
    int count = 0;
    if (!sorted)
        return;
    for (int i = 0; i < profile->count; i++)
        if (profile->layers[i].times.count)
            sorted[count++] = &profile->layers[i];
    qsort(sorted, (size_t)count, sizeof *sorted, slowest_first);
    printf("\n%10s %7s %7s  %-9s %-18s %-28s %s\n", "median us", "share", "of peak", "tier",
           "operator", "kernel", "node");
    for (int i = 0; i < count; i++)
        print_layer(sorted[i]);
    if (profile->peak > 0)
        printf(
            "the peak is %.1f GFLOP/s, measured beside it; '-' where operations are not counted\n",
            profile->peak);
    printf("kernels take %.3f ms of %.3f ms: %.1f %% is glue\n", (double)profile->kernel_ns / 1e6,
           (double)profile->wall_ns / 1e6,
           profile->wall_ns > profile->kernel_ns
               ? 100 * (1 - (double)profile->kernel_ns / (double)profile->wall_ns)
               : 0.0);
    free(sorted);
}

void profile_put(const Profile *profile, QnJsonWriter *to)
{
    qn_json_put_begin(to, '[');
    for (int i = 0; i < profile->count; i++) {
        const Layer *layer = &profile->layers[i];
        if (!layer->times.count)
            continue;
        qn_json_put_begin(to, '{');
        json_put_text(to, "name", layer->name);
        json_put_text(to, "op", layer->op);
        json_put_text(to, "kernel", layer->kernel);
        json_put_text(to, "tier", tier_name(layer->tier));
        json_put_real(to, "median_us", (double)layer->median_ns / 1e3);
        json_put_real(to, "share", layer->share);
        if (layer->peak_share > 0) {
            json_put_real(to, "peak_share", layer->peak_share);
        } else { /* its operations are not counted */
            qn_json_put_key(to, "peak_share");
            qn_json_put_null(to);
        }
        qn_json_put_end(to, '}');
    }
    qn_json_put_end(to, ']');
}

void profile_free(Profile *profile)
{
    for (int i = 0; i < profile->count; i++)
        sample_free(&profile->layers[i].times);
    free(profile->layers);
    sample_free(&profile->walls);
}
