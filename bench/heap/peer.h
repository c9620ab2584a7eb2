/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Whose persistent memory a process measures: heap=lgalloc, boost (Boost.Interprocess's managed_mapped_file), pmemobj
 * (libpmemobj), lmdb (transactions only) or msync (a shared mapping of a file, for commits only). Those whose
 * packages were not there at the build are left out, and say so.
 *
 * The small workloads of micro/ take and give through block.h: one function here stands between, which knows
 * the one heap of the process and jumps to the library's own.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "workload/block.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PEER_BYTES = 1 << 30 }; /* of their files, which have holes */

/* Opens an empty one in a file that loses its name at once. The process ends if there is none. */
void peer_open_lgalloc(struct block_calls *calls, const char *path);
void peer_open_boost(struct block_calls *calls, const char *path);
void peer_open_pmemobj(struct block_calls *calls, const char *path);

/* Their versions; NULL: not built in. */
const char *peer_version_lgalloc(void);
const char *peer_version_boost(void);
const char *peer_version_pmemobj(void);
const char *peer_version_lmdb(void);

bool peer_is(const char *name);

/* A name in $TMPDIR or /var/tmp that no file has. */
void peer_path(char path[PATH_MAX], const char *suffix);

/* The text of options= for lg_heap_open behind `first`. */
const char *peer_options(const char *first);

#ifdef __cplusplus
}
#endif

#endif
