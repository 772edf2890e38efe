/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, one file each, in alphabetic order. */
#ifndef QN_TOOLS_COMMANDS_H
#define QN_TOOLS_COMMANDS_H

#include "tools/options.h"

extern const Command command_bench;
extern const Command command_check;
extern const Command command_inspect;
extern const Command command_ops;
extern const Command command_run;
extern const Command command_test;

#endif
