/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program to be started, by the name that execvp(3) is given. */
#ifndef LG_TOOL_PROGRAM_H
#define LG_TOOL_PROGRAM_H

#include <stdbool.h>

/* It is linked statically: the dynamic linker has no part in its start, and preloads nothing. What is not known is false. */
bool lg_program_is_static(const char *name);

#endif
