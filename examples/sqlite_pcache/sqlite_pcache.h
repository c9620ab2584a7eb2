/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * SQLite's page cache in regions: an sqlite3_pcache_methods2. Take this file, sqlite_pcache.c and slab.[ch].
 *
 * Know this first
 *   - Where the pages live is lgalloc's option `backing`. For databases on disk choose `anon`: a cached
 *     page is a copy of the file's, and paging it to a second file gains nothing over reading it again.
 *     For ":memory:" and for changes not yet committed there is no such file: with `file` these may be
 *     larger than memory.
 *   - Only pages are in regions. What SQLite keeps outside its page cache is malloc's as before: sorters
 *     (up to cache_size each), the rollback journal of a ":memory:" database, statements.
 *   - sqlite3_memory_used, the heap limits and SQLITE_STATUS_PAGECACHE_* do not count the pages;
 *     SQLITE_DBSTATUS_CACHE_USED and lg_stats_read do.
 *   - SQLITE_CONFIG_PAGECACHE and page caches shared by SQLITE_ENABLE_MEMORY_MANAGEMENT do not apply: each
 *     cache evicts its own least recently used page.
 *
 * What goes back, and when: PRAGMA cache_size, sqlite3_db_release_memory and PRAGMA shrink_memory give back
 * every page they evict, also those between pages in use (from pages of 4 KiB on); closing gives back all.
 * The allocator keeps a freed region's memory for one to two ticks (`interval`), or until lg_trim().
 */
#ifndef SQLITE_PCACHE_H
#define SQLITE_PCACHE_H

/*
 * Makes it the page cache of this process, for connections opened from now on. Call it before SQLite's first
 * use, or after sqlite3_shutdown(). As sqlite3_config, not from two threads at once. Everything after it may
 * come from any thread.
 *
 * SQLITE_OK, or SQLITE_MISUSE: SQLite is in use already.
 */
int lg_pcache_install(void);

#endif
