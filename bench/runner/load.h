/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * How busy others kept the processors while we measured. Rows of several threads and those of
 * longest times mean little on a machine that has other work; who reads them should know.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdio.h>

void load_begin(void);

/* From load_begin until now. */
void load_end(void);

/* One line: the share of all processors' time that was not ours. */
void load_write(FILE *to, const char *line_start);

#endif
