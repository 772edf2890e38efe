/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/support/test.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    if (!*folder) {
        strcpy(folder, "/tmp/quern-file-XXXXXX");
        if (!mkdtemp(folder))
            abort();
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

TEST(what_is_written_is_read_and_mapped)
{
    const char *path = in_folder("a");
    QnError err = {0};
    QnBytes bytes;
    struct stat info;
    REQUIRE(t, qn_file_write(path, qn_bytes_of_text("first"), 0600, &err) == QN_OK, "%s",
            err.message);
    REQUIRE(t, qn_file_write(path, qn_bytes_of_text("second"), 0640, &err) == QN_OK, "%s",
            err.message);
    EXPECT(t, stat(path, &info) == 0 && (info.st_mode & 0777) == 0640, "mode %o",
           info.st_mode & 0777);
    REQUIRE(t, qn_file_read(&bytes, path, 6, NULL, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_bytes_is(bytes, "second"), "%.*s", (int)bytes.size, (const char *)bytes.data);
    qn_free(NULL, (void *)(uintptr_t)bytes.data, bytes.size);
    REQUIRE(t, qn_file_map(&bytes, path, 6, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_bytes_is(bytes, "second"), "%.*s", (int)bytes.size, (const char *)bytes.data);
    qn_file_unmap(bytes);
    unlink(path);
}

TEST(empty_files_are_fine)
{
    const char *path = in_folder("empty");
    QnError err = {0};
    QnBytes bytes = {(const uint8_t *)"x", 1};
    REQUIRE(t, qn_file_write(path, qn_bytes(NULL, 0), 0600, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_file_read(&bytes, path, 0, NULL, &err) == QN_OK && bytes.size == 0, "%s",
           err.message);
    EXPECT(t, qn_file_map(&bytes, path, 0, &err) == QN_OK && bytes.size == 0, "%s", err.message);
    unlink(path);
}

TEST(refusals_are_sentences)
{
    QnError err = {0};
    QnBytes bytes = {0};
    EXPECT(t, qn_file_read(&bytes, "/no/such", 9, NULL, &err) == QN_IO, "status %d", err.status);
    EXPECT(t, !strcmp(err.message, "/no/such: No such file or directory"), "%s", err.message);
    EXPECT(t, qn_file_map(&bytes, "/tmp", 9, &err) == QN_IO, "status %d", err.status);
    EXPECT(t, !strcmp(err.message, "/tmp: is a folder, expected a regular file"), "%s",
           err.message);
    EXPECT(t, qn_file_read(&bytes, "/dev/null", 9, NULL, &err) == QN_IO, "status %d", err.status);
    EXPECT(t, !strcmp(err.message, "/dev/null: is no regular file, expected a regular file"), "%s",
           err.message);
    const char *path = in_folder("long");
    qn_file_write(path, qn_bytes_of_text("0123456789"), 0600, NULL);
    EXPECT(t, qn_file_read(&bytes, path, 9, NULL, &err) == QN_IO, "status %d", err.status);
    EXPECT(t, strstr(err.message, "has 10 bytes, expected at most 9"), "%s", err.message);
    unlink(path);
}

TEST(a_write_that_fails_leaves_nothing)
{
    QnError err = {0};
    EXPECT(t, qn_file_write("/no/such/place", qn_bytes_of_text("x"), 0600, &err) == QN_IO,
           "status %d", err.status);
    EXPECT(t, strstr(err.message, "/no/such/place: "), "%s", err.message);
    rmdir(folder);
}

TEST_MAIN(CASE(what_is_written_is_read_and_mapped), CASE(empty_files_are_fine),
          CASE(refusals_are_sentences), CASE(a_write_that_fails_leaves_nothing))
