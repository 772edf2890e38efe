/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands: one line each, in alphabetic order.
 * The file tools/<name>.c defines command_<name>. */
#ifndef QN_TOOLS_COMMANDS_H
#define QN_TOOLS_COMMANDS_H

#include "tools/options.h"

/* clang-format off */
#define TOOL_COMMANDS(X) \
    X(bench)             \
    X(build)             \
    X(check)             \
    X(compare)           \
    X(inspect)           \
    X(ops)               \
    X(run)               \
    X(test)
/* clang-format on */

#define TOOL_COMMAND_DECLARE(name) extern const Command command_##name;
TOOL_COMMANDS(TOOL_COMMAND_DECLARE)
#undef TOOL_COMMAND_DECLARE

#endif
