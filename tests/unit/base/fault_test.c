/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"

#include <unistd.h>

#include "tests/support/test.h"

#ifdef NDEBUG
#    define SKIP_IN_RELEASE(t) SKIP(t, "a release build has no switch")
#else
#    define SKIP_IN_RELEASE(t) (void)(t)
#endif

TEST(only_the_row_of_the_environment_is_spoiled)
{
    SKIP_IN_RELEASE(t);
    unsetenv("QN_FAULT");
    EXPECT(t, !qn_fault("test", "Add"), "spoiled without being asked");
    setenv("QN_FAULT", "test:Add", 1);
    EXPECT(t, qn_fault("test", "Add"), "not spoiled");
    EXPECT(t, !qn_fault("test", "AddMore"), "a longer name was taken for it");
    EXPECT(t, !qn_fault("test-too", "Add"), "another kind was taken for it");
    EXPECT(t, !qn_fault("test", NULL), "a row without a name was taken for it");
    unsetenv("QN_FAULT");
}

TEST(rows_are_written_down_once)
{
    SKIP_IN_RELEASE(t);
    char path[] = "/tmp/fault_test_XXXXXX", text[256] = "";
    const int fd = mkstemp(path);
    REQUIRE(t, fd >= 0, "no temporary file");
    setenv("QN_FAULT_ROWS", path, 1);
    qn_fault("test", "Mul");
    qn_fault("test", "Mul");
    qn_fault("test-too", "cse");
    unsetenv("QN_FAULT_ROWS");
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    unlink(path);
    EXPECT(t, size > 0 && !strcmp(text, "test:Mul fault_test\ntest-too:cse fault_test\n"), "%s",
           text);
}

TEST(spoiling_changes_numbers_and_bools)
{
    float number = 1.5f, zero = 0;
    bool yes = true;
    qn_fault_spoil(&number, sizeof number);
    qn_fault_spoil(&zero, sizeof zero);
    qn_fault_spoil(&yes, sizeof yes);
    qn_fault_spoil(NULL, 0);
    EXPECT(t, number != 1.5f, "still %g", (double)number);
    EXPECT(t, zero > 1, "%g is near 0", (double)zero);
    EXPECT(t, !yes, "still true");
}

TEST_MAIN(CASE(only_the_row_of_the_environment_is_spoiled), CASE(rows_are_written_down_once),
          CASE(spoiling_changes_numbers_and_bools))
