/* SPDX-License-Identifier: Apache-2.0 */
/* Running one test case: load, run each data set, compare. */
#ifndef QN_TOOLS_TEST_RUN_H
#define QN_TOOLS_TEST_RUN_H

#include "quern/quern.h"
#include "quern/unstable/values.h"
#include "tools/test_cases.h"

/* What all cases are run with. */
typedef struct TestSetup {
    const char *without;    /* passes to leave out; NULL: none */
    bool skips_unsupported; /* models with operators that are not there are skipped */
    Bounds bounds;          /* of cases that no row of the table gives others */
    QnThreadPool *pool;
    QnValueStore *store; /* emptied after every case */
} TestSetup;

typedef enum TestResult { TEST_PASSED, TEST_FAILED, TEST_SKIPPED } TestResult;

/*
 * Runs a case and judges it by the table of tools/test_table.h.  `why` [size]: what is wrong with
 * it, or why it is skipped; "" where it passed.
 *
 * A row that skips a case forgives that the outputs have other elements than expected, and nothing
 * else: the case must load, run, and give values of the expected types and shapes.  A case that
 * needs an optional library which this build or machine lacks is skipped, too.
 */
TestResult test_case_run(const TestSetup *setup, const TestCase *test, char *why, size_t size);

#endif
