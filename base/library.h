/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optional libraries, opened when they are first needed.
 *
 * The build compiles a part in where a library's headers are; the library itself is not linked.  So
 * nothing but the C library has to be there when a program starts, nobody waits for the loading of
 * what is not used, and a machine without it gets a sentence.
 *
 *     #define FUNCTIONS(X) X(crc32) X(inflate)
 *     typedef struct Library { FUNCTIONS(QN_LIBRARY_FIELD) } Library;
 *     static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};
 *
 *     Library z;
 *     QN_TRY(qn_library_open("libz.so.1", names, QN_COUNT_OF(names), &z, err));
 *     z.inflate(...);
 */
#ifndef QN_BASE_LIBRARY_H
#define QN_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "quern/status.h"

/* A field with the type that the library's header gives the function. */
#define QN_LIBRARY_FIELD(name) __typeof__(&name) name;
#define QN_LIBRARY_NAME(name)  #name,

/*
 * Fills functions[count], a structure of nothing but pointers to functions in the order of `names`.
 * The library stays loaded until the program ends.  QN_UNSUPPORTED where it is not there or lacks
 * one of them.  Any thread.
 */
QnStatus qn_library_open(const char *file, const char *const *names, size_t count, void *functions,
                         QnError *err);

/* Can it be opened? */
bool qn_library_is_there(const char *file);

/* The text of a macro's value, for versions. */
#define QN_LIBRARY_TEXT_(x) #x
#define QN_LIBRARY_TEXT(x)  QN_LIBRARY_TEXT_(x)

#endif
