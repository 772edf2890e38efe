/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "tests/support/alloc_fault.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

#define NO_LIMIT UINT64_MAX

/* The message without the tree's folder in front. */
static const char *message(const QnError *err, const Tree *tree)
{
    const size_t length = strlen(tree->root);
    return strncmp(err->message, tree->root, length) ? err->message : err->message + length + 1;
}

TEST(a_file_is_read_whole)
{
    Tree tree = tree_make();
    QnBytes bytes;
    QnError err = {0};
    char text[200001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 65536, 65537, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tree_write(&tree, "f", text + sizeof text - 1 - sizes[i]);
        REQUIRE(t, qn_file_read(&bytes, tree_path(&tree, "f"), sizes[i], NULL, &err) == QN_OK, "%s",
                err.message);
        EXPECT(t, bytes.size == sizes[i] && (!sizes[i] || !memcmp(bytes.data, text, sizes[i])),
               "%zu", bytes.size);
        qn_free(NULL, (void *)(uintptr_t)bytes.data, bytes.size);
        REQUIRE(t, qn_file_map(&bytes, tree_path(&tree, "f"), sizes[i], &err) == QN_OK, "%s",
                err.message);
        EXPECT(t, bytes.size == sizes[i] && (!sizes[i] || !memcmp(bytes.data, text, sizes[i])),
               "%zu", bytes.size);
        qn_file_unmap(bytes);
    }
    tree_remove(&tree);
}

TEST(failures_name_the_file_and_the_reason)
{
    Tree tree = tree_make();
    tree_write(&tree, "folder/f", "12345");
    mkfifo(tree_path(&tree, "pipe"), 0600);
    static const struct {
        const char *name;
        uint64_t limit;
        QnStatus status;
        const char *want;
    } rows[] = {
        {"none", NO_LIMIT, QN_IO, "none: No such file or directory"},
        {"folder", NO_LIMIT, QN_IO, "folder: is a folder, expected a regular file"},
        {"pipe", NO_LIMIT, QN_IO, "pipe: is no regular file, expected a regular file"},
        {"folder/f", 4, QN_IO, "folder/f: has 5 bytes, expected at most 4"},
        {"folder/f/g", NO_LIMIT, QN_IO, "folder/f/g: Not a directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int maps = 0; maps < 2; maps++) {
            QnBytes bytes = {0};
            QnError err;
            const char *path = tree_path(&tree, rows[i].name);
            const QnStatus status = maps ? qn_file_map(&bytes, path, rows[i].limit, &err)
                                         : qn_file_read(&bytes, path, rows[i].limit, NULL, &err);
            EXPECT(t, status == rows[i].status && !bytes.data, "status %d", (int)status);
            EXPECT(t, !strcmp(message(&err, &tree), rows[i].want), "%s", err.message);
        }
    }
    tree_remove(&tree);
}

static void *fill_pipe(void *user)
{
    const int fd = *(const int *)user;
    const char text[1000] = {0};
    for (int i = 0; i < 150; i++)
        if (write(fd, text, sizeof text) < 0)
            break;
    close(fd);
    return NULL;
}

TEST(a_stream_is_read_to_its_end_or_the_limit)
{
    QnBytes bytes = {0};
    QnError err = {0};
    pthread_t writer;
    int ends[2];
    REQUIRE(t, pipe(ends) == 0 && !pthread_create(&writer, NULL, fill_pipe, &ends[1]), "no pipe");
    EXPECT(t, qn_file_read_stream(&bytes, ends[0], "-", NO_LIMIT, NULL, &err) == QN_OK, "%s",
           err.message);
    pthread_join(writer, NULL);
    close(ends[0]);
    EXPECT(t, bytes.size == 150000, "%zu bytes", bytes.size);
    qn_free(NULL, (void *)(uintptr_t)bytes.data, bytes.size);

    const int zeros = open("/dev/zero", O_RDONLY), nothing = open("/dev/null", O_RDONLY);
    EXPECT(t, qn_file_read_stream(&bytes, zeros, "/dev/zero", 1000, NULL, &err) == QN_IO,
           "it has an end");
    EXPECT(t, !strcmp(err.message, "/dev/zero: has more bytes, expected at most 1000"), "%s",
           err.message);
    EXPECT(t, qn_file_read_stream(&bytes, nothing, "-", 0, NULL, &err) == QN_OK && !bytes.size,
           "%s", err.message);
    close(zeros);
    close(nothing);
}

TEST(a_part_is_read_only_if_it_is_there)
{
    Tree tree = tree_make();
    tree_write(&tree, "f", "0123456789");
    const int fd = open(tree_path(&tree, "f"), O_RDONLY);
    char part[4];
    QnError err = {0};
    EXPECT(t, qn_file_read_at(part, 4, fd, 6, "f", &err) == QN_OK && !memcmp(part, "6789", 4),
           "%.4s", part);
    EXPECT(t, qn_file_read_at(part, 4, fd, 8, "f", &err) == QN_IO, "status");
    EXPECT(t, !strcmp(err.message, "f: ends at 10, within the 4 bytes at 8"), "%s", err.message);
    EXPECT(t, qn_file_read_at(part, 4, fd, UINT64_MAX - 1, "f", &err) == QN_IO, "status");
    EXPECT(t, !strcmp(err.message, "f: 4 bytes at 18446744073709551614 are past any file"), "%s",
           err.message);
    close(fd);
    tree_remove(&tree);
}

static size_t count_files(Tree *tree, const char *folder)
{
    QnArena arena = {0};
    QnFileNames names = {0};
    (void)qn_file_list(&names, tree_path(tree, folder), 100, &arena, NULL);
    qn_arena_finish(&arena);
    return names.count;
}

TEST(a_file_is_replaced_at_once)
{
    Tree tree = tree_make();
    struct stat info;
    QnError err = {0};
    QnFileWriter writer;
    tree_write(&tree, "d/f", "old");
    char path[256];
    snprintf(path, sizeof path, "%s", tree_path(&tree, "d/f"));
    const int reader = open(path, O_RDONLY);

    REQUIRE(t, qn_file_writer_begin(&writer, path, 0640, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_file_writer_put(&writer, qn_bytes_of_text("new "), &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, qn_file_writer_put(&writer, qn_bytes_of_text("text"), &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, stat(path, &info) == 0 && info.st_size == 3, "the old one is still there");
    EXPECT(t, qn_file_writer_commit(&writer, &err) == QN_OK && writer.size == 8, "%s", err.message);
    EXPECT(t, stat(path, &info) == 0 && info.st_size == 8, "the new one is there");
    EXPECT(t, (info.st_mode & 0777) == 0640, "mode %o", info.st_mode & 0777u);
    EXPECT(t, count_files(&tree, "d") == 1, "%zu files", count_files(&tree, "d"));
    char old[4] = {0};
    EXPECT(t, read(reader, old, 3) == 3 && !strcmp(old, "old"),
           "who has it open keeps the old one: %s", old);
    close(reader);
    qn_file_writer_abandon(&writer);
    EXPECT(t, count_files(&tree, "d") == 1, "abandoning after a commit does nothing");
    tree_remove(&tree);
}

TEST(an_unfinished_file_leaves_nothing)
{
    Tree tree = tree_make();
    QnError err = {0};
    QnFileWriter writer;
    char path[256];
    tree_write(&tree, "d/f", "old");
    snprintf(path, sizeof path, "%s", tree_path(&tree, "d/f"));
    REQUIRE(t, qn_file_writer_begin(&writer, path, 0600, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_file_writer_put(&writer, qn_bytes_of_text("new"), &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, count_files(&tree, "d") == 2, "both are there");
    qn_file_writer_abandon(&writer);
    EXPECT(t, count_files(&tree, "d") == 1, "%zu files", count_files(&tree, "d"));
    tree_remove(&tree);
}

TEST(a_file_that_cannot_be_written_says_why)
{
    Tree tree = tree_make();
    QnError err;
    mkdir(tree_path(&tree, "d"), 0700);
    static const char *const rows[][2] = {
        {"none/f", "none/f: making a file beside it: No such file or directory"},
        {"d/", "d/: names a folder, expected a file"},
        {"d", "d: putting it in place: Is a directory"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT(t,
               qn_file_write(tree_path(&tree, rows[i][0]), qn_bytes_of_text("x"), 0600, &err) !=
                   QN_OK,
               "status");
        EXPECT(t, !strcmp(message(&err, &tree), rows[i][1]), "%s", err.message);
    }
    EXPECT(t, count_files(&tree, ".") == 1, "%zu entries", count_files(&tree, "."));
    tree_remove(&tree);
}

TEST(a_full_disk_is_an_error)
{
    QnError err;
    QnFileWriter writer = {.fd = open("/dev/full", O_WRONLY), .path = "plan"};
    if (writer.fd < 0)
        SKIP(t, "there is no /dev/full");
    EXPECT(t, qn_file_writer_put(&writer, qn_bytes_of_text("x"), &err) == QN_IO, "status");
    EXPECT(t, !strcmp(err.message, "plan: writing: No space left on device"), "%s", err.message);
    close(writer.fd);
}

TEST(a_folder_is_listed_in_order)
{
    Tree tree = tree_make();
    QnArena arena = {0};
    QnFileNames names = {0};
    QnError err = {0};
    static const char *const want[] = {".hidden", "1", "10", "2", "B", "a"};
    for (int i = 5; i >= 0; i--)
        tree_write(&tree, want[i], "");
    REQUIRE(t, qn_file_list(&names, tree.root, 6, &arena, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, names.count == 6, "%zu names", names.count);
    for (size_t i = 0; i < 6; i++)
        EXPECT(t, !strcmp(names.items[i], want[i]), "name %zu is %s", i, names.items[i]);
    EXPECT(t, qn_file_list(&names, tree.root, 5, &arena, &err) == QN_IO, "status");
    EXPECT(t, strstr(err.message, ": has more entries, expected at most 5"), "%s", err.message);
    EXPECT(t, qn_file_list(&names, tree_path(&tree, "none"), 5, &arena, &err) == QN_IO, "status");
    qn_arena_finish(&arena);
    tree_remove(&tree);
}

TEST(every_failed_allocation_is_survived)
{
    Tree tree = tree_make();
    for (int i = 0; i < 20; i++) {
        char name[20];
        snprintf(name, sizeof name, "f%d", i);
        tree_write(&tree, name, "text");
    }
    bool has_failed = true;
    for (int64_t n = 1; has_failed && n < 100; n++) {
        AllocFault fault;
        alloc_fault_init(&fault, n);
        QnArena arena;
        QnBytes file = {0}, stream = {0};
        QnFileNames names = {0};
        QnError err = {0};
        qn_arena_init(&arena, &fault.allocator);
        QnStatus status = qn_file_read(&file, tree_path(&tree, "f1"), 100, &fault.allocator, &err);
        if (status == QN_OK)
            status = qn_file_read(&stream, "/proc/self/status", NO_LIMIT, &fault.allocator, &err);
        if (status == QN_OK)
            status = qn_file_list(&names, tree.root, 100, &arena, &err);
        has_failed = alloc_fault_has_failed(&fault);
        EXPECT(t, status == (has_failed ? QN_NO_MEMORY : QN_OK), "allocation %d: %s", (int)n,
               err.message);
        qn_free(&fault.allocator, (void *)(uintptr_t)file.data, file.size);
        qn_free(&fault.allocator, (void *)(uintptr_t)stream.data, stream.size);
        qn_arena_finish(&arena);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "allocation %d leaks", (int)n);
    }
    EXPECT(t, !has_failed, "it never ended");
    tree_remove(&tree);
}

TEST_MAIN(CASE(a_file_is_read_whole), CASE(failures_name_the_file_and_the_reason),
          CASE(a_stream_is_read_to_its_end_or_the_limit), CASE(a_part_is_read_only_if_it_is_there),
          CASE(a_file_is_replaced_at_once), CASE(an_unfinished_file_leaves_nothing),
          CASE(a_file_that_cannot_be_written_says_why), CASE(a_full_disk_is_an_error),
          CASE(a_folder_is_listed_in_order), CASE(every_failed_allocation_is_survived))
