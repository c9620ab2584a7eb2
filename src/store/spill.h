/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The spill: where pages of memory go that have no file. An unlinked file on a disk, as long as the map.
 *
 * `reserve`: its disk space is taken at once, so that a full disk is ENOSPC here and nothing later. The
 * space is given back at the end only, and blocks that were written once stay written: the first write to
 * a reserved block costs more (docs/DECISIONS.md). Without it, space is taken as pages come and given
 * back as they are discarded; a write on a full disk is then -ENOSPC.
 *
 * It begins as zeros. It need not be read for pages that were never written; who does reads zeros.
 */
#ifndef LG_STORE_SPILL_H
#define LG_STORE_SPILL_H

#include "store/store.h"

/*
 * A spill of `bytes` in `dir` (NULL or "": as for regions). -errno in words: -ENOSPC, -EOPNOTSUPP where the
 * file system is in memory itself or cannot reserve, and what lg_os_file_open has.
 */
int lg_spill_open(const char *dir, uint64_t bytes, bool reserve, struct lg_store **store);

/* Takes disk space for a range of a spill that did not at its start. -ENOSPC … */
int lg_spill_reserve(struct lg_store *store, uint64_t offset, uint64_t bytes);

/* Bytes of disk it occupies. */
int lg_spill_disk_bytes(struct lg_store *store, uint64_t *bytes);

#endif
