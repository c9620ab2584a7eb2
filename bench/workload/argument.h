/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A workload's arguments: words of the form key=number, the number with K, M or G behind it or not.
 */
#ifndef BENCH_ARGUMENT_H
#define BENCH_ARGUMENT_H

#include <stddef.h>

void argument_open(int count, char **words);

/* The argument's number, or `otherwise` where it was not given. */
size_t argument_size(const char *key, size_t otherwise);

#endif
