/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A named file, or a device, as a store: the bytes from `offset` on, exactly as many as asked for.
 *
 * Nothing outside these bytes is read or written, and no disk space is taken or given back but by writing.
 * Whole blocks go past the page cache where that is possible; the kernel keeps them coherent with what
 * other programs read and write, but not with their mappings of what is written meanwhile.
 *
 * One writer: see store/range.h. Other programs see what was flushed; nothing keeps them from writing.
 */
#ifndef LG_STORE_FILE_H
#define LG_STORE_FILE_H

#include "store/store.h"

/*
 * `bytes` 0: to the file's end. A file that is not there is made if `create` and for writing; a shorter one is
 * extended, if it is for writing, to what is asked for. -errno in words:
 *   -EBUSY   some of it is in another store, of this process or another
 *   -EINVAL  offset not a multiple of 4096; no bytes; not a file; too short, and not extended
 *   -ENOENT, -EACCES, -EROFS, -EISDIR, -ENAMETOOLONG, -EFBIG (RLIMIT_FSIZE), … from the system
 */
int lg_file_store_open(const char *path, uint64_t offset, uint64_t bytes, bool readonly,
		       bool create, struct lg_store **store);

#endif
