/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <math.h>

#include "base/compiler.h"
#include "tests/support/test.h"

#define FUNCTIONS(X) X(cos) X(floor)
typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;
static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

TEST(functions_of_a_library_are_found_by_name)
{
    Library library = {0};
    QnError err;
    REQUIRE(t, qn_library_open("libm.so.6", names, 2, &library, &err) == QN_OK, "%s", err.message);
    EXPECT(t, library.floor(2.5) == 2 && library.cos(0) == 1, "not the functions of that name");
    EXPECT(t, qn_library_is_there("libm.so.6"), "it is");
}

TEST(what_is_missing_is_said)
{
    static const char *const none[] = {"cos", "no_such_function"};
    Library library;
    QnError err;
    EXPECT(t, qn_library_open("libno.so.1", names, 2, &library, &err) == QN_UNSUPPORTED, "opened");
    EXPECT(t, strstr(err.message, "a library is missing: libno.so.1") == err.message, "%s",
           err.message);
    EXPECT(t, qn_library_open("libm.so.6", none, 2, &library, &err) == QN_UNSUPPORTED, "opened");
    EXPECT(t, !strcmp(err.message, "libm.so.6 has no no_such_function, expected a newer one"), "%s",
           err.message);
    EXPECT(t, !qn_library_is_there("libno.so.1"), "it is not");
}

TEST_MAIN(CASE(functions_of_a_library_are_found_by_name), CASE(what_is_missing_is_said))
