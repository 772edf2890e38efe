/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for a test, with files made from text,
 * removed with everything in it at the end. */
#ifndef QN_TESTS_TREE_H
#define QN_TESTS_TREE_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Tree {
    char root[64];
    char path[256]; /* of the last tree_path */
} Tree;

static inline Tree tree_make(void)
{
    Tree tree = {.root = "/tmp/quern-test-XXXXXX"};
    if (!mkdtemp(tree.root)) {
        perror(tree.root);
        exit(1);
    }
    return tree;
}

/* The full path of a file of the tree; valid until the next call. */
static inline const char *tree_path(Tree *tree, const char *name)
{
    snprintf(tree->path, sizeof tree->path, "%s/%s", tree->root, name);
    return tree->path;
}

/* Writes a file, and the folders that lead to it. */
static inline void tree_write(Tree *tree, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", tree->root, name);
    for (char *slash = strchr(path + strlen(tree->root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static inline int tree_remove_one(const char *path, const struct stat *info, int kind,
                                  struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void tree_remove(Tree *tree)
{
    nftw(tree->root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
