/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Where what belongs to this program lies: found from the program itself, so that a prefix may be moved. */
#ifndef LG_TOOL_PLACE_H
#define LG_TOOL_PLACE_H

#include <limits.h>
#include <stdbool.h>

/* From the directory of the installed program; the build says which. */
#ifndef LG_LIBRARY_FROM_PROGRAM
#define LG_LIBRARY_FROM_PROGRAM "../lib/lgalloc"
#endif
#ifndef LG_LIBEXEC_FROM_PROGRAM
#define LG_LIBEXEC_FROM_PROGRAM "../libexec/lgalloc"
#endif

/*
 * The file `name` in one of two directories, both relative to the program's: where a build has it, where
 * an installation has it. False: it is in neither, or cannot be read.
 */
bool lg_place_find(const char *name, const char *built, const char *installed, char path[PATH_MAX]);

#endif
