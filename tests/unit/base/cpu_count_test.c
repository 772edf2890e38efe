/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu_count.h"

#include "base/sysfile.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

static const char V2_MOUNT[] =
    "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
static const char V1_MOUNT[] =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

/* A machine with that affinity list. */
static Tree machine(const char *affinity)
{
    char status[200];
    Tree tree = tree_make();
    snprintf(status, sizeof status,
             "Name:\tquern\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems_allowed:\t1\n",
             affinity);
    tree_write(&tree, "proc/thread-self/status", status);
    return tree;
}

/* The decision as text, or the error; the tree is used up. */
static const char *decide(Tree *tree, const char *asked)
{
    static char text[sizeof(QnError) + 8];
    QnCpuCount count;
    QnError err;
    if (qn_cpu_count(&count, tree->root, asked, &err) == QN_OK)
        qn_cpu_count_print(text, sizeof text, &count);
    else
        snprintf(text, sizeof text, "error: %s", err.message);
    tree_remove(tree);
    return text;
}

#define EXPECT_TEXT(t, got, want)                         \
    do {                                                  \
        const char *got_ = (got);                         \
        EXPECT(t, !strcmp(got_, (want)), "got %s", got_); \
    } while (0)

TEST(without_limits_every_core_is_used)
{
    Tree tree = machine("0-3,8-9");
    EXPECT_TEXT(t, decide(&tree, NULL), "6 threads: affinity 6, 6 cores, no quota");
}

TEST(siblings_count_once_unless_asked_for)
{
    for (int asked = 0; asked < 2; asked++) {
        Tree tree = machine("0-3,5");
        for (int cpu = 0; cpu < 8; cpu++) {
            char path[100], siblings[20];
            snprintf(path, sizeof path,
                     "sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
            snprintf(siblings, sizeof siblings, "%d,%d\n", cpu % 4, cpu % 4 + 4);
            tree_write(&tree, path, siblings); /* 0 and 4, 1 and 5, ... share a core */
        }
        EXPECT_TEXT(t, decide(&tree, asked ? "5" : ""),
                    asked ? "5 threads: affinity 5, 4 cores, no quota, asked for 5"
                          : "4 threads: affinity 5, 4 cores, no quota");
    }
}

TEST(a_quota_is_rounded_up_to_whole_processors)
{
    static const struct {
        const char *max, *want;
    } rows[] = {
        {"max 100000\n", "8 threads: affinity 8, 8 cores, no quota"},
        {"200000 100000\n", "2 threads: affinity 8, 8 cores, quota 200 %"},
        {"150000 100000\n", "2 threads: affinity 8, 8 cores, quota 150 %"},
        {"50000 100000\n", "1 thread: affinity 8, 8 cores, quota 50 %"},
        {"1 1000000\n", "1 thread: affinity 8, 8 cores, quota 1 %"},
        {"900000 100000\n", "8 threads: affinity 8, 8 cores, quota 900 %"},
        {"0 100000\n", "8 threads: affinity 8, 8 cores, no quota"},
        {"100000 0\n", "8 threads: affinity 8, 8 cores, no quota"},
        {"99999999999999999999 1\n", "8 threads: affinity 8, 8 cores, no quota"},
        {"nonsense", "8 threads: affinity 8, 8 cores, no quota"},
        {"", "8 threads: affinity 8, 8 cores, no quota"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Tree tree = machine("0-7");
        tree_write(&tree, "proc/self/mountinfo", V2_MOUNT);
        tree_write(&tree, "proc/self/cgroup", "0::/app\n");
        tree_write(&tree, "sys/fs/cgroup/app/cpu.max", rows[i].max);
        EXPECT_TEXT(t, decide(&tree, NULL), rows[i].want);
    }
}

TEST(the_tightest_of_nested_groups_counts)
{
    static const char *const groups[] = {"", "/a", "/a/b", "/a/b/c"};
    for (size_t tight = 0; tight < 4; tight++) {
        Tree tree = machine("0-7");
        tree_write(&tree, "proc/self/mountinfo", V2_MOUNT);
        tree_write(&tree, "proc/self/cgroup", "0::/a/b/c\n");
        for (size_t i = 0; i < 4; i++) {
            char path[100];
            snprintf(path, sizeof path, "sys/fs/cgroup%s/cpu.max", groups[i]);
            tree_write(&tree, path, i == tight ? "250000 100000" : "600000 100000");
        }
        EXPECT_TEXT(t, decide(&tree, NULL), "3 threads: affinity 8, 8 cores, quota 250 %");
    }
}

TEST(a_neighbouring_group_does_not_count)
{
    Tree tree = machine("0-7");
    tree_write(&tree, "proc/self/mountinfo", V2_MOUNT);
    tree_write(&tree, "proc/self/cgroup", "0::/a\n");
    tree_write(&tree, "sys/fs/cgroup/ab/cpu.max", "100000 100000");
    tree_write(&tree, "sys/fs/cgroup/a/child/cpu.max", "100000 100000");
    EXPECT_TEXT(t, decide(&tree, NULL), "8 threads: affinity 8, 8 cores, no quota");
}

TEST(the_first_generation_of_groups_is_read_too)
{
    static const struct {
        const char *quota, *period, *want;
    } rows[] = {
        {"-1", "100000", "8 threads: affinity 8, 8 cores, no quota"},
        {"350000", "100000", "4 threads: affinity 8, 8 cores, quota 350 %"},
        {"25000", "50000", "1 thread: affinity 8, 8 cores, quota 50 %"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Tree tree = machine("0-7");
        tree_write(&tree, "proc/self/mountinfo", V1_MOUNT);
        tree_write(&tree, "proc/self/cgroup",
                   "9:name=systemd:/\n4:memory:/m\n3:cpu,cpuacct:/docker/x\n");
        tree_write(&tree, "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", rows[i].quota);
        tree_write(&tree, "sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", rows[i].period);
        EXPECT_TEXT(t, decide(&tree, NULL), rows[i].want);
    }
}

TEST(a_container_may_see_its_group_under_another_name)
{
    static const struct {
        const char *top, *own, *file;
    } rows[] = {
        {"/", "/", "sys/fs/cgroup/cpu.max"}, /* a namespace of its own */
        {"/docker/x", "/docker/x",
         "sys/fs/cgroup/cpu.max"}, /* the host's name, only that group mounted */
        {"/docker/x", "/docker/x/y", "sys/fs/cgroup/y/cpu.max"}, /* and a group below it */
        {"/docker/x", "/elsewhere", "sys/fs/cgroup/cpu.max"},    /* a group that is not mounted */
        {"/", "/../../other", "sys/fs/cgroup/cpu.max"},          /* outside of the namespace */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300];
        Tree tree = machine("0-7");
        snprintf(text, sizeof text, "31 23 0:28 %s /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
                 rows[i].top);
        tree_write(&tree, "proc/self/mountinfo", text);
        snprintf(text, sizeof text, "0::%s\n", rows[i].own);
        tree_write(&tree, "proc/self/cgroup", text);
        tree_write(&tree, rows[i].file, "300000 100000");
        EXPECT_TEXT(t, decide(&tree, NULL), "3 threads: affinity 8, 8 cores, quota 300 %");
    }
}

TEST(mount_points_may_have_spaces)
{
    Tree tree = machine("0-7");
    tree_write(&tree, "proc/self/mountinfo",
               "31 23 0:28 / /my\\040groups rw - cgroup2 cgroup rw\n");
    tree_write(&tree, "proc/self/cgroup", "0::/a\n");
    tree_write(&tree, "my groups/a/cpu.max", "100000 100000");
    EXPECT_TEXT(t, decide(&tree, NULL), "1 thread: affinity 8, 8 cores, quota 100 %");
}

TEST(a_wish_only_lowers_the_count)
{
    static const struct {
        const char *asked, *want;
    } rows[] = {
        {"3", "3 threads: affinity 4, 4 cores, no quota, asked for 3"},
        {"64", "4 threads: affinity 4, 4 cores, no quota, asked for 64"},
        {"0", "4 threads: affinity 4, 4 cores, no quota"},
        {"-1", "error: '-1' is no number of threads, expected 1 to 8192"},
        {"two", "error: 'two' is no number of threads, expected 1 to 8192"},
        {"2x", "error: '2x' is no number of threads, expected 1 to 8192"},
        {"99999999999999999999",
         "error: '99999999999999999999' is no number of threads, expected 1 to 8192"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Tree tree = machine("0-3");
        EXPECT_TEXT(t, decide(&tree, rows[i].asked), rows[i].want);
    }
}

TEST(the_real_machine_has_a_processor)
{
    QnCpuCount count;
    QnError err;
    REQUIRE(t, qn_cpu_count(&count, NULL, NULL, &err) == QN_OK, "%s", err.message);
    EXPECT(t, count.count >= 1 && count.count <= count.affinity, "%d of %d", count.count,
           count.affinity);
}

TEST(lists_of_processors_are_parsed_strictly)
{
    static const struct {
        const char *list;
        int count; /* -1: refused */
    } rows[] = {
        {"", 0},      {"0", 1},    {"0-3,8", 5}, {"0-3,2-5", 6}, {"8191", 1},
        {"8192", -1}, {"3-1", -1}, {"a", -1},    {"1;2", -1},    {"-1", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnCpuSet set;
        const int got = qn_cpu_set_parse(&set, rows[i].list) ? qn_cpu_set_count(&set) : -1;
        EXPECT(t, got == rows[i].count, "'%s' gave %d", rows[i].list, got);
    }
}

TEST_MAIN(CASE(without_limits_every_core_is_used), CASE(siblings_count_once_unless_asked_for),
          CASE(a_quota_is_rounded_up_to_whole_processors),
          CASE(the_tightest_of_nested_groups_counts), CASE(a_neighbouring_group_does_not_count),
          CASE(the_first_generation_of_groups_is_read_too),
          CASE(a_container_may_see_its_group_under_another_name),
          CASE(mount_points_may_have_spaces), CASE(a_wish_only_lowers_the_count),
          CASE(the_real_machine_has_a_processor), CASE(lists_of_processors_are_parsed_strictly))
