/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux tells of the machine and this process, in /proc. */
#include "tools/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text behind "key ... :" in a file of such lines; false where there is none. */
static bool find_line(const char *path, const char *key, char *text, size_t size)
{
    char line[512];
    bool is_found = false;
    FILE *file = fopen(path, "re");
    while (file && !is_found && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon++;
        colon += strspn(colon, " \t");
        snprintf(text, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        is_found = true;
    }
    if (file)
        fclose(file);
    return is_found;
}

void machine_cpu_name(char *text, size_t size)
{
    if (!find_line("/proc/cpuinfo", "model name", text, size))
        snprintf(text, size, "unknown");
}

uint64_t machine_peak_bytes(void)
{
    char text[64];
    return find_line("/proc/self/status", "VmHWM", text, sizeof text)
               ? strtoull(text, NULL, 10) * 1024
               : 0;
}
