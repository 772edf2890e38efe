/* SPDX-License-Identifier: Apache-2.0 */
/* Classic machine learning: linear models, features, trees; and what hostile trees are told. */
#include "tests/support/op.h"

TEST(linear_models_score_and_name_classes)
{
    static const OpRow rows[] = {
        {"ml.LinearRegressor",
         {"float[2,2] = {1, 2, 3, 4}"},
         "coefficients = [1.0, 10.0], intercepts = [0.5]",
         .want = "float[2,1] {21.5, 43.5}"},
        {"ml.LinearClassifier",
         {"float[1,1] = {2}"},
         "coefficients = [1.0], intercepts = [0.0], classlabels_strings = [\"n\", \"y\"], "
         "post_transform = \"LOGISTIC\"",
         .outputs = 2,
         .want = "string[1] {\"y\"}; float[1,2] {0.119203, 0.880797}"},
        {"ml.Normalizer",
         {"float[2,2] = {3, 4, 0, 0}"},
         "norm = \"L2\"",
         .want = "float[2,2] {0.6, 0.8, 0, 0}"},
        {"ml.Scaler",
         {"int64[1,2] = {3, 5}"},
         "offset = [1.0, 2.0], scale = [2.0]",
         .want = "float[1,2] {4, 6}"},
        {"ml.Binarizer", {"float[2] = {1, 1.5}"}, "threshold = 1.0", .want = "float[2] {0, 1}"},
        {"ml.Imputer",
         {"float[2] = {nan, 2}"},
         "imputed_value_floats = [7.0], replaced_value_float = nan",
         .want = "float[2] {7, 2}"},
        {"ml.LinearRegressor",
         {"float[N,3]"},
         "coefficients = [1.0, 10.0]",
         .want = "error: 2 coefficients, expected 1 times 3 features"},
        {"ml.LinearRegressor",
         {"float[N,2]"},
         "coefficients = [1.0, 10.0], targets = 0",
         .want = "error: 0 targets, expected 1 to the 2 coefficients"},
    };
    OP_CHECK(t, rows);
}

#define VECTORS \
    "kernel_type = \"RBF\", kernel_params = [1.0, 0.0, 0.0], support_vectors = [0.0, 1.0], "

TEST(support_vector_machines_vote)
{
    static const OpRow rows[] = {
        {"ml.SVMRegressor",
         {"float[2,1] = {0, 1}"},
         VECTORS "coefficients = [1.0, 0.0], n_supports = 2, rho = [0.5]",
         .want = "float[2,1] {1.5, 0.867879}"},
        {"ml.SVMRegressor",
         {"float[2,1] = {0, 1}"},
         VECTORS "coefficients = [1.0, 0.0], n_supports = 2, rho = [-0.5], one_class = 1",
         .want = "float[2,1] {1, -1}"},
        {"ml.SVMClassifier",
         {"float[2,1] = {0, 1}"},
         VECTORS "coefficients = [1.0, -1.0], vectors_per_class = [1, 1], rho = [0.0], "
                 "classlabels_strings = [\"a\", \"b\"]",
         .outputs = 2,
         .want = "string[2] {\"a\", \"b\"}; float[2,2] {-0.632121, 0.632121, 0.632121, -0.632121}"},
        {"ml.SVMRegressor",
         {"float[N,1]"},
         VECTORS "coefficients = [1.0], n_supports = 2, rho = [0.5]",
         .want = "error: n_supports is 2, expected 0 to the 1 coefficients"},
        {"ml.SVMRegressor",
         {"float[N,3]"},
         VECTORS "coefficients = [1.0, 2.0], n_supports = 2, rho = [0.5]",
         .want = "error: support_vectors has 2 entries, expected 2 for each of 3 features"},
        {"ml.SVMRegressor",
         {"float[N,1]"},
         VECTORS "coefficients = [1.0, 2.0], n_supports = 2",
         .want = "error: rho has 0 entries, expected 1"},
        {"ml.SVMClassifier",
         {"float[N,1]"},
         VECTORS "coefficients = [1.0], vectors_per_class = [1, 9], rho = [0.0], "
                 "classlabels_ints = [1, 2]",
         .outputs = 2,
         .want = "error: vectors_per_class[1] is 9, which do not exist"},
        {"ml.SVMClassifier",
         {"float[N,1]"},
         VECTORS "coefficients = [1.0, 1.0], vectors_per_class = [1, 1], rho = [0.0], "
                 "classlabels_ints = [1, 2], prob_a = [1.0]",
         .outputs = 2,
         .want = "error: prob_a and prob_b have 1 and 0 entries, expected 1"},
    };
    OP_CHECK(t, rows);
}

/* What ONNX leaves open is as in ONNX Runtime. */
TEST(linear_models_of_two_classes_say_yes_or_no)
{
#define MODELS "rho = [-1.0], classlabels_strings = [\"a\", \"b\"], coefficients = [1.0, -1.0]"
    static const OpRow rows[] = {
        /* The second class, as soon as one score is above 0. */
        {"ml.SVMClassifier",
         {"float[3,1] = {0.5, -0.5, 2}"},
         MODELS,
         .outputs = 2,
         .want = "string[3] {\"a\", \"b\", \"b\"}; float[3,2] {-0.5, -1.5, -1.5, -0.5, 1, -3}"},
        /* The largest score, where there are probabilities. */
        {"ml.SVMClassifier",
         {"float[3,1] = {0.5, -0.5, 2}"},
         MODELS ", prob_a = [-1.0], prob_b = [0.0]",
         .outputs = 2,
         .want = "string[3] {\"a\", \"b\", \"a\"}; float[3,2] {-0.5, -1.5, -1.5, -0.5, 1, -3}"},
        /* No coefficient is negative: the second class from 0.5 on. */
        {"ml.SVMClassifier",
         {"float[2,1] = {0.4, 2}"},
         "rho = [0.0], classlabels_ints = [7, 8], coefficients = [1.0, 0.5]",
         .outputs = 2,
         .want = "int64[2] {7, 8}; float[2,2] {0.4, 0.2, 2, 1}"},
    };
#undef MODELS
    OP_CHECK(t, rows);
}

TEST(probits_of_support_vector_machines)
{
#define PAIR \
    VECTORS "vectors_per_class = [1, 1], classlabels_ints = [1, 2], post_transform = \"PROBIT\", "
    static const OpRow rows[] = {
        /* Of the one machine's score, which stands first. */
        {"ml.SVMClassifier",
         {"float[1,1] = {1}"},
         PAIR "coefficients = [0.5, 0.0], rho = [0.0]",
         .outputs = 2,
         .want = "int64[1] {1}; float[1,2] {-0.900603, 0}"},
        /* A score is no probability: outside of 0 to 1 there is none. */
        {"ml.SVMClassifier",
         {"float[3,1] = {0, 0, 0}"},
         PAIR "coefficients = [0.0, 0.0], rho = [1.5]",
         .outputs = 2,
         .want = "int64[3] {1, 1, 1}; float[3,2] {nan, 0, nan, 0, nan, 0}"},
        /* Sure ones: in single precision 1 - 1e-7 is the one end, and 1e-7 is lost at the other. */
        {"ml.SVMClassifier",
         {"float[2,1] = {0, 1}"},
         PAIR "coefficients = [0.5, -0.5], rho = [0.0], prob_a = [-100.0], prob_b = [0.0]",
         .outputs = 2,
         .want = "int64[2] {1, 2}; float[2,2] {5.16247, -5.16247, -inf, inf}"},
    };
#undef PAIR
    OP_CHECK(t, rows);
}

#define STUMP                                                                              \
    "nodes_treeids = [0, 0, 0], nodes_nodeids = [0, 1, 2], nodes_featureids = [0, 0, 0], " \
    "nodes_values = [1.0, 0.0, 0.0], nodes_modes = [\"BRANCH_LEQ\", \"LEAF\", \"LEAF\"], "
#define CHILDREN "nodes_truenodeids = [1, 0, 0], nodes_falsenodeids = [2, 0, 0], "
#define TARGETS                                                               \
    "target_treeids = [0, 0], target_nodeids = [1, 2], target_ids = [0, 0], " \
    "target_weights = [5.0, 7.0], n_targets = 1"

TEST(rows_walk_down_the_trees)
{
    static const OpRow rows[] = {
        {"ml.TreeEnsembleRegressor",
         {"float[3,1] = {1, 2, nan}"},
         STUMP CHILDREN TARGETS,
         .want = "float[3,1] {5, 7, 7}"},
        {"ml.TreeEnsembleRegressor",
         {"float[1,1] = {nan}"},
         STUMP CHILDREN TARGETS ", nodes_missing_value_tracks_true = [1, 0, 0]",
         .want = "float[1,1] {5}"},
        {"ml.TreeEnsembleClassifier",
         {"float[2,1] = {0, 2}"},
         STUMP CHILDREN "class_treeids = [0, 0], class_nodeids = [1, 2], class_ids = [0, 0], "
                        "class_weights = [0.25, 0.75], classlabels_int64s = [3, 4]",
         .outputs = 2,
         .want = "int64[2] {3, 4}; float[2,2] {0.75, 0.25, 0.25, 0.75}"},
        {"ml.TreeEnsembleRegressor", {"float[N,1]"}, STUMP CHILDREN TARGETS, .want = "float[N,1]"},
    };
    OP_CHECK(t, rows);
}

TEST(what_is_no_tree_is_refused)
{
    static const OpRow rows[] = {
        {"ml.TreeEnsembleRegressor",
         {"float[N,1]"},
         "nodes_treeids = [0, 0], nodes_nodeids = [0, 1], nodes_featureids = [0, 0], "
         "nodes_values = [1.0, 0.0], nodes_modes = [\"BRANCH_LEQ\", \"BRANCH_LEQ\"], "
         "nodes_truenodeids = [1, 0], nodes_falsenodeids = [1, 0], " TARGETS,
         .want = "error: a weight is for node 2 of tree 0, which is not there"},
        {"ml.TreeEnsembleRegressor",
         {"float[N,1]"},
         "nodes_treeids = [0, 0, 0], nodes_nodeids = [0, 1, 2], nodes_featureids = [0, 0, 0], "
         "nodes_values = [1.0, 0.0, 0.0], "
         "nodes_modes = [\"BRANCH_LEQ\", \"BRANCH_LEQ\", \"LEAF\"], "
         "nodes_truenodeids = [1, 0, 0], nodes_falsenodeids = [2, 2, 0], " TARGETS,
         .want = "error: node 0 of the trees is reached in two ways, expected a tree"},
        {"ml.TreeEnsembleRegressor",
         {"float[N,1]"},
         STUMP "nodes_truenodeids = [9, 0, 0], nodes_falsenodeids = [2, 0, 0], " TARGETS,
         .want = "error: tree 0 has no node 9, a child of 0"},
        {"ml.TreeEnsembleRegressor",
         {"float[N,0]"},
         STUMP CHILDREN TARGETS,
         .want = "error: the trees ask for feature 0 of 0"},
        {"ml.TreeEnsemble",
         {"float[N,1]"},
         "n_targets = 1, nodes_featureids = [0], nodes_splits = tensor float[1] {1}, "
         "nodes_modes = tensor uint8[1] {0}, nodes_truenodeids = [0], nodes_falsenodeids = [1], "
         "nodes_trueleafs = [0], nodes_falseleafs = [1], leaf_targetids = [0, 0], "
         "leaf_weights = tensor float[2] {1, 2}, tree_roots = [0]",
         .want = "error: node 0 of the trees is reached in two ways, expected a tree"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(linear_models_score_and_name_classes), CASE(support_vector_machines_vote),
          CASE(linear_models_of_two_classes_say_yes_or_no),
          CASE(probits_of_support_vector_machines), CASE(rows_walk_down_the_trees),
          CASE(what_is_no_tree_is_refused))
