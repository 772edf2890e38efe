/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where test cases are: the layouts of ONNX's backend tests, and finding them below a folder.
 *
 *     <case>/model.onnx, <case>/test_data_set_N/{input_K.pb, output_K.pb}
 *     <case>.zip: the same in an archive, also with data.json: {rtol, atol}
 *     <dir>/light_NAME.onnx with light_NAME_output_0.pb: one input, arange(n) / n
 *     <real>/test_NAME/data.json: {model_name, rtol, atol} of ../../light/light_<model_name>.onnx
 */
#ifndef QN_TOOLS_TEST_CASES_H
#define QN_TOOLS_TEST_CASES_H

#include "base/arena.h"
#include "base/bytes.h"
#include "tools/compare_values.h"

typedef enum TestLayout {
    TEST_FOLDER,  /* a model with folders of inputs and outputs */
    TEST_ARCHIVE, /* the same in one file */
    TEST_LIGHT,   /* a model with its output beside it */
    TEST_REAL     /* a name and bounds of a light model */
} TestLayout;

typedef struct TestCase {
    const char *path; /* of the folder, the archive or the light model */
    const char *name; /* its last part */
    TestLayout layout;
} TestCase;

typedef struct TestCases {
    QnArena arena;
    TestCase *items; /* [count] */
    int count, capacity;
} TestCases;

enum { TEST_PATH_MOST = 4096 };

bool test_is_file(const char *path);
bool test_is_folder(const char *path);

/* Adds the cases at or below a path, in the order of their names.
 * QN_NO_MEMORY is its only failure. */
QnStatus test_cases_find(TestCases *cases, const char *path);

/* Takes out the light models that a real case among the others names: they are its model, and no
 * case of their own. */
void test_cases_drop_models(TestCases *cases);

/* What a data.json says: the name of a light model, "" where it says none, and the bounds that it
 * says.  `what` names it in messages. */
QnStatus test_case_parse_data(QnBytes bytes, const char *what, char *name, size_t size,
                              Bounds *bounds, QnError *err);

/*
 * What the data.json of a real case says: the path of the light model, and the bounds of the
 * case.  QN_BAD_TENSOR where it says no such thing, QN_NOT_FOUND where the model is not there.
 */
QnStatus test_case_read_real(const TestCase *test, char *model, size_t size, Bounds *bounds,
                             QnError *err);

#endif
