/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu_count.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/sysfile.h"

/* One hierarchy of control groups: where it is mounted, which of its groups is seen there, and
 * which one is ours. */
typedef struct Hierarchy {
    bool is_v2;
    char mount[PATH_MAX]; /* the mount point; "": not mounted */
    char top[PATH_MAX];   /* the group that the mount point shows */
    char own[PATH_MAX];   /* the process's group; "": unknown */
} Hierarchy;

/* Opens <root><path>, or NULL. */
static FILE *open_below(const char *root, const char *path)
{
    char full[PATH_MAX];
    const int length = snprintf(full, sizeof full, "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof full ? fopen(full, "re") : NULL;
}

/* Does a list such as "rw,cpu,cpuacct" contain `name`? */
static bool list_has(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (!strncmp(at, name, length) && strchr(",\n", at[length]))
            return true;
    return false;
}

static void copy_text(char *to, size_t size, const char *from)
{
    const size_t length = strlen(from);
    if (length < size)
        memcpy(to, from, length + 1);
}

/* The kernel writes a space in a mount point as \040. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned code;
        if (*from == '\\' && sscanf(from + 1, "%3o", &code) == 1 && strnlen(from, 4) == 4) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = 0;
}

/* One line of mountinfo:
 * "36 35 98:0 /top /mount rw,noatime shared:1 - cgroup2 source rw,options". */
static void read_mount(Hierarchy hierarchies[2], char *line)
{
    enum { TOP = 3, MOUNT = 4 };
    char *save, *fields[5] = {0};
    char *rest = strstr(line, " - ");
    if (!rest)
        return;
    *rest = 0;
    rest += strlen(" - ");
    char *type = strtok_r(rest, " ", &save);
    strtok_r(NULL, " ", &save);
    const char *options = strtok_r(NULL, " ", &save);
    const bool is_v2 = type && !strcmp(type, "cgroup2");
    if (!is_v2 && !(type && !strcmp(type, "cgroup") && options && list_has(options, "cpu")))
        return;
    fields[0] = strtok_r(line, " ", &save);
    for (size_t i = 1; i < QN_COUNT_OF(fields) && fields[i - 1]; i++)
        fields[i] = strtok_r(NULL, " ", &save);
    if (!fields[MOUNT] || hierarchies[is_v2].mount[0]) /* a second mount shows the same groups */
        return;
    unescape(fields[TOP]);
    unescape(fields[MOUNT]);
    copy_text(hierarchies[is_v2].mount, PATH_MAX, fields[MOUNT]);
    copy_text(hierarchies[is_v2].top, PATH_MAX, fields[TOP]);
}

/* One line of /proc/self/cgroup: "0::/group" or "4:cpu,cpuacct:/group". */
static void read_group(Hierarchy hierarchies[2], char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return;
    *controllers++ = 0;
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    const bool is_v2 = !strcmp(line, "0") && controllers[0] == 0;
    if (is_v2 || list_has(controllers, "cpu") || !strcmp(controllers, "cpu"))
        copy_text(hierarchies[is_v2].own, PATH_MAX, group);
}

static void each_line(Hierarchy hierarchies[2], const char *root, const char *path,
                      void (*read_line)(Hierarchy hierarchies[2], char *line))
{
    char line[3 * PATH_MAX];
    FILE *file = open_below(root, path);
    if (!file)
        return;
    while (fgets(line, sizeof line, file))
        read_line(hierarchies, line);
    fclose(file);
}

/* The quota of one group in percent of a processor, rounded up; -1 where it has none. */
static int64_t read_quota(const char *root, const char *folder, bool is_v2)
{
    char text[64];
    const char *end;
    int64_t quota_us, period_us;
    if (is_v2) {
        if (!qn_sysfile_read(text, sizeof text, root, "%s/cpu.max", folder) ||
            !qn_sysfile_number(&quota_us, text, &end) || *end != ' ' ||
            !qn_sysfile_number(&period_us, end + 1, NULL))
            return -1; /* "max 100000" among them */
    } else if (!qn_sysfile_read(text, sizeof text, root, "%s/cpu.cfs_quota_us", folder) ||
               !qn_sysfile_number(&quota_us, text, NULL) ||
               !qn_sysfile_read(text, sizeof text, root, "%s/cpu.cfs_period_us", folder) ||
               !qn_sysfile_number(&period_us, text, NULL)) {
        return -1;
    }
    if (quota_us <= 0 || period_us <= 0 || quota_us > INT64_MAX / 100)
        return -1;
    return qn_ceil_div(quota_us * 100, period_us);
}

/* The tightest quota of the process's group and of all groups around it that the mount shows. */
static int64_t tightest_quota(const char *root, const Hierarchy *hierarchy)
{
    char folder[2 * PATH_MAX];
    const size_t top = strcmp(hierarchy->top, "/") ? strlen(hierarchy->top) : 0;
    const char *below = hierarchy->own;
    if (!hierarchy->mount[0])
        return -1;
    /* In a container the group may be named as the host sees it,
     * or lie outside of what is mounted. */
    if (!strncmp(below, hierarchy->top, top) && (below[top] == '/' || !below[top]))
        below += top;
    else
        below = "";
    if (strstr(below, "/.."))
        below = "";
    const size_t mount = strlen(hierarchy->mount);
    snprintf(folder, sizeof folder, "%s%s", hierarchy->mount, below);

    int64_t tightest = -1;
    for (;;) {
        const int64_t quota = read_quota(root, folder, hierarchy->is_v2);
        if (quota >= 0 && (tightest < 0 || quota < tightest))
            tightest = quota;
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < mount)
            return tightest;
        *slash = 0;
    }
}

static int64_t find_quota(const char *root)
{
    Hierarchy *hierarchies = calloc(2, sizeof *hierarchies);
    if (!hierarchies)
        return -1;
    hierarchies[1].is_v2 = true;
    each_line(hierarchies, root, "/proc/self/mountinfo", read_mount);
    each_line(hierarchies, root, "/proc/self/cgroup", read_group);
    const int64_t v1 = tightest_quota(root, &hierarchies[0]);
    const int64_t v2 = tightest_quota(root, &hierarchies[1]);
    free(hierarchies);
    return v1 < 0 ? v2 : v2 < 0 ? v1 : qn_min_i64(v1, v2);
}

/* The processors that the calling thread may use; false where nobody says. */
static bool find_affinity(QnCpuSet *set, const char *root)
{
    static const char label[] = "Cpus_allowed_list:";
    char line[4096];
    bool found = false;
    FILE *file = open_below(root, "/proc/thread-self/status");
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, label, sizeof label - 1))
            found = qn_cpu_set_parse(set, line + sizeof label - 1 +
                                              strspn(line + sizeof label - 1, " \t"));
    }
    if (file)
        fclose(file);
    return found;
}

/* One for each set of siblings that has a member in `set`. */
static int count_cores(const QnCpuSet *set, const char *root)
{
    char text[4096];
    int cores = 0;
    for (int cpu = 0; cpu < QN_CPU_LIMIT; cpu++) {
        QnCpuSet siblings;
        if (!qn_cpu_set_has(set, cpu))
            continue;
        bool is_first = true;
        if (qn_sysfile_read(text, sizeof text, root,
                            "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu) &&
            qn_cpu_set_parse(&siblings, text))
            for (int other = 0; other < cpu && is_first; other++)
                is_first = !(qn_cpu_set_has(&siblings, other) && qn_cpu_set_has(set, other));
        cores += is_first;
    }
    return cores;
}

static QnStatus parse_asked(int *out, const char *asked, QnError *err)
{
    const char *end = "";
    int64_t value = 0;
    if (asked && asked[0] &&
        (!qn_sysfile_number(&value, asked, &end) || *end || value < 0 || value > QN_CPU_LIMIT))
        return qn_fail(err, QN_BAD_ARGUMENT, "'%s' is no number of threads, expected 1 to %d",
                       asked, QN_CPU_LIMIT);
    *out = (int)value;
    return QN_OK;
}

QnStatus qn_cpu_count(QnCpuCount *out, const char *root, const char *asked, QnError *err)
{
    QnCpuCount count = {0};
    QnCpuSet set;
    QN_TRY(parse_asked(&count.asked, asked, err));
    root = root ? root : "";
    if (find_affinity(&set, root)) {
        count.affinity = qn_cpu_set_count(&set);
        count.cores = count_cores(&set, root);
    } else {
        const long online = sysconf(_SC_NPROCESSORS_ONLN);
        count.affinity = count.cores = online > 0 && online < QN_CPU_LIMIT ? (int)online : 1;
    }
    count.quota_percent = find_quota(root);

    int64_t limit = count.asked ? qn_min_i64(count.affinity, count.asked) : count.cores;
    if (count.quota_percent >= 0)
        limit = qn_min_i64(limit, qn_ceil_div(count.quota_percent, 100));
    count.count = (int)qn_max_i64(limit, 1);
    *out = count;
    return QN_OK;
}

void qn_cpu_count_print(char *text, size_t size, const QnCpuCount *count)
{
    char quota[40] = "no quota", asked[40] = "";
    if (count->quota_percent >= 0)
        snprintf(quota, sizeof quota, "quota %lld %%", (long long)count->quota_percent);
    if (count->asked)
        snprintf(asked, sizeof asked, ", asked for %d", count->asked);
    snprintf(text, size, "%d thread%s: affinity %d, %d core%s, %s%s", count->count,
             count->count == 1 ? "" : "s", count->affinity, count->cores,
             count->cores == 1 ? "" : "s", quota, asked);
}
