/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What remote objects cost in lgalloc top: a line of the process, below its pagers. */
#ifndef LG_TOOL_REMOTE_H
#define LG_TOOL_REMOTE_H

#include "tool/table.h"

/*
 * A process that asked for none has no line, and there is none where too little would be left for the classes. The
 * table's height is brought down by what is printed.
 */
void lg_remote_print(FILE *to, struct lg_table *table);

#endif
