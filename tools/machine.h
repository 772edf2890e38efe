/* SPDX-License-Identifier: Apache-2.0 */
/* What a measurement says of where it was made. */
#ifndef QN_TOOLS_MACHINE_H
#define QN_TOOLS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The processor's name, "unknown" where the system does not say. */
void machine_cpu_name(char *text, size_t size);

/* The most memory that this process has had resident so far; 0 where the system does not say. */
uint64_t machine_peak_bytes(void);

#endif
