/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The pagers of lgalloc top: a line for each, above the size classes. */
#ifndef LG_TOOL_PAGERS_H
#define LG_TOOL_PAGERS_H

#include "tool/table.h"

/*
 * A process without pagers has no lines. The table's height is brought down by those there are: at most a third of it,
 * and none where too little would be left for the classes.
 */
void lg_pagers_print(FILE *to, struct lg_table *table);

#endif
