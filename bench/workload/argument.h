/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A workload's arguments: words of the form key=number, the number with K, M or G behind it or not,
 * or key=text. Of two words with the same key the first counts. Each workload has its keys in table.h: another word ends
 * the process, and so does a workload that asks for a key which is not there.
 */
#ifndef BENCH_ARGUMENT_H
#define BENCH_ARGUMENT_H

#include <stddef.h>

/* `known`: the keys of `workload`, between spaces. */
void argument_open(const char *workload, const char *known, int count, char **words);

/* The argument's number, or `otherwise` where it was not given. */
size_t argument_size(const char *key, size_t otherwise);

/* The same for text. */
const char *argument_text(const char *key, const char *otherwise);

#endif
