/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Threads and their caches: attaching at the first miss, letting go at the exit. */
#ifndef LG_REGION_THREAD_H
#define LG_REGION_THREAD_H

#include "region/cache.h"

/* Gives the calling thread a cache at its first miss; see lg_thread_cache. */
struct lg_cache *lg_thread_attach(int *error);

/*
 * The calling thread's cache, attached if this is its first miss; the homeless one if the thread has
 * exited or no record is to be had. NULL: the library could not start, in words; *error is -errno.
 */
static inline struct lg_cache *lg_thread_cache(int *error)
{
	return LG_LIKELY(lg_self != &lg_unattached) ? lg_self : lg_thread_attach(error);
}

/* Where the calling thread counts what it does to a class: its cache, or the homeless one. */
static inline struct lg_cache *lg_thread_tallies(unsigned class)
{
	struct lg_cache *cache = lg_self == &lg_unattached ? &lg_homeless : lg_self;

	lg_cache_note_use(cache, class);
	return cache;
}

/* All records ever made. */
struct lg_record *lg_thread_first(void);
uint32_t lg_thread_records(void);

/* Threads that have a cache now. */
uint32_t lg_thread_count(void);

/* The exit hook. */
void lg_thread_exit(void *cache);

/* Whoever is alone with the cache of a thread that has left: empties it for the next owner. */
void lg_thread_finish(struct lg_cache *cache);

/* The child of a fork: of all threads only the caller's lives, and no cache holds anything. */
void lg_thread_forget_others(void);

#endif
