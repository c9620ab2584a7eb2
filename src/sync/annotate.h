/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Names a hand-over to ThreadSanitizer where the instruction that orders it is ck's assembly. The files
 * of src/sync that include this are built without its instrumentation, and LG_SYNC_TSAN says that the
 * rest of the library has it.
 */
#ifndef LG_SYNC_ANNOTATE_H
#define LG_SYNC_ANNOTATE_H

#ifdef LG_SYNC_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define lg_annotate_acquire(p) __tsan_acquire(p)
#define lg_annotate_release(p) __tsan_release(p)
#else
#define lg_annotate_acquire(p) ((void)(p))
#define lg_annotate_release(p) ((void)(p))
#endif

#endif
