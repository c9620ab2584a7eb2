/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sqlite_pcache.h"

#include "slab.h"

#include <lgalloc/lgalloc.h>

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 512 };

/*
 * SQLite calls for one cache from one thread at a time, and no cache knows of another: there is no lock.
 *
 * Invariants: a page with a key is in its bucket; it is in the ring exactly while it is unpinned; pages ==
 * pages with a key; unpinned == pages in the ring.
 */
struct sqlite3_pcache {
	struct slabs slabs;
	struct page **buckets;
	size_t bucket_count; /* a power of two */
	struct page ring; /* of unpinned pages: ring.newer is the oldest, ring.older the newest */
	size_t extra_bytes;
	unsigned pages, unpinned;
	unsigned pages_max; /* cache_size, which pinned pages may exceed */
	unsigned key_max;   /* no page has a larger one */
	bool purgeable;
};

/* --- the table: neighbours are in neighbouring buckets, as a scan asks for them ------------------- */

static struct page **bucket_of(const sqlite3_pcache *cache, unsigned key)
{
	return &cache->buckets[key & (cache->bucket_count - 1)];
}

static struct page *find(const sqlite3_pcache *cache, unsigned key)
{
	struct page *page = *bucket_of(cache, key);

	while (page != NULL && page->key != key)
		page = page->next;
	return page;
}

static void enter(sqlite3_pcache *cache, struct page *page, unsigned key)
{
	struct page **bucket = bucket_of(cache, key);

	page->key = key;
	page->next = *bucket;
	*bucket = page;
	if (key > cache->key_max)
		cache->key_max = key;
}

static void leave(const sqlite3_pcache *cache, const struct page *page)
{
	struct page **link = bucket_of(cache, page->key);

	while (*link != page)
		link = &(*link)->next;
	*link = page->next;
}

/* Without memory for a larger table the chains grow. */
static void widen(sqlite3_pcache *cache)
{
	size_t old_count = cache->bucket_count;
	struct page **old = cache->buckets;
	struct page **wider = lg_calloc(2 * old_count, sizeof(struct page *));
	struct page *next;

	if (wider == NULL)
		return;
	cache->buckets = wider;
	cache->bucket_count = 2 * old_count;
	for (size_t i = 0; i < old_count; i++)
		for (struct page *page = old[i]; page != NULL; page = next) {
			next = page->next;
			enter(cache, page, page->key);
		}
	lg_free(old);
}

/* --- the ring of unpinned pages -------------------------------------------------------------------- */

static bool is_unpinned(const struct page *page)
{
	return page->newer != NULL;
}

static void unpin(sqlite3_pcache *cache, struct page *page)
{
	page->newer = &cache->ring;
	page->older = cache->ring.older;
	page->older->newer = page;
	cache->ring.older = page;
	cache->unpinned++;
}

static void pin(sqlite3_pcache *cache, struct page *page)
{
	page->newer->older = page->older;
	page->older->newer = page->newer;
	page->newer = page->older = NULL;
	cache->unpinned--;
}

/* --- pages ----------------------------------------------------------------------------------------- */

/* Out of the table and the ring; its memory is the caller's. */
static void take_out(sqlite3_pcache *cache, struct page *page)
{
	leave(cache, page);
	if (is_unpinned(page))
		pin(cache, page);
	cache->pages--;
}

static void drop(sqlite3_pcache *cache, struct page *page)
{
	take_out(cache, page);
	slabs_put(&cache->slabs, page);
}

static struct page *oldest(const sqlite3_pcache *cache)
{
	return cache->unpinned > 0 ? cache->ring.newer : NULL;
}

static void evict_down_to(sqlite3_pcache *cache, unsigned pages)
{
	bool evicted = false;

	while (cache->pages > pages && cache->unpinned > 0) {
		drop(cache, oldest(cache));
		evicted = true;
	}
	if (evicted)
		slabs_trim(&cache->slabs);
}

/* Memory for one more page: of an older one when the cache is full or there is no other. */
static struct page *find_room(sqlite3_pcache *cache)
{
	struct page *victim = cache->purgeable ? oldest(cache) : NULL;
	struct page *page = NULL;

	if (victim == NULL || cache->pages < cache->pages_max)
		page = slabs_take(&cache->slabs);
	if (page == NULL && victim != NULL) {
		take_out(cache, victim);
		page = victim;
	}
	return page;
}

/* --- what SQLite calls ------------------------------------------------------------------------------ */

static int start(void *argument)
{
	(void)argument;
	return SQLITE_OK;
}

static sqlite3_pcache *create(int page_bytes, int extra_bytes, int purgeable)
{
	sqlite3_pcache *cache = malloc(sizeof(*cache));

	if (cache == NULL)
		return NULL;
	*cache = (sqlite3_pcache){
		.buckets = lg_calloc(BUCKETS_FIRST, sizeof(struct page *)),
		.bucket_count = BUCKETS_FIRST,
		.extra_bytes = (size_t)extra_bytes,
		.purgeable = purgeable != 0,
	};
	if (cache->buckets == NULL) {
		free(cache);
		return NULL;
	}
	cache->ring.newer = cache->ring.older = &cache->ring;
	slabs_init(&cache->slabs, (size_t)page_bytes, cache->extra_bytes);
	return cache;
}

static void destroy(sqlite3_pcache *cache)
{
	slabs_clear(&cache->slabs);
	lg_free(cache->buckets);
	free(cache);
}

static void set_size(sqlite3_pcache *cache, int pages)
{
	cache->pages_max = pages > 0 ? (unsigned)pages : 0;
	if (cache->purgeable)
		evict_down_to(cache, cache->pages_max);
}

static int count(sqlite3_pcache *cache)
{
	return (int)cache->pages;
}

static sqlite3_pcache_page *fetch(sqlite3_pcache *cache, unsigned key, int create_flag)
{
	struct page *page = find(cache, key);

	if (page != NULL) {
		if (is_unpinned(page))
			pin(cache, page);
		return &page->shown;
	}
	if (create_flag == 0)
		return NULL;
	/* With 1, SQLite would rather write changed pages out than have a cache full of pinned ones. */
	if (create_flag == 1 && cache->purgeable &&
	    cache->pages - cache->unpinned >= cache->pages_max - cache->pages_max / 10)
		return NULL;
	page = find_room(cache);
	if (page == NULL)
		return NULL;
	if (cache->pages >= cache->bucket_count)
		widen(cache);
	/* SQLite knows a new page by zeros in its extra bytes. */
	memset(page->shown.pExtra, 0, cache->extra_bytes);
	enter(cache, page, key);
	cache->pages++;
	return &page->shown;
}

static struct page *page_of(sqlite3_pcache_page *shown)
{
	return (struct page *)(void *)shown;
}

static void release(sqlite3_pcache *cache, sqlite3_pcache_page *shown, int discard)
{
	struct page *page = page_of(shown);

	if (discard || (cache->purgeable && cache->pages > cache->pages_max))
		drop(cache, page);
	else if (!is_unpinned(page))
		unpin(cache, page);
}

static void rekey(sqlite3_pcache *cache, sqlite3_pcache_page *shown, unsigned old, unsigned key)
{
	struct page *page = page_of(shown);
	struct page *other = find(cache, key);

	(void)old;
	if (other != NULL && other != page)
		drop(cache, other);
	leave(cache, page);
	enter(cache, page, key);
}

static void truncate_bucket(sqlite3_pcache *cache, struct page **bucket, unsigned limit)
{
	struct page *next;

	for (struct page *page = *bucket; page != NULL; page = next) {
		next = page->next;
		if (page->key >= limit)
			drop(cache, page);
	}
}

static void truncate_at(sqlite3_pcache *cache, unsigned limit)
{
	if (limit > cache->key_max)
		return;
	/* A few pages at the end are in a few buckets; otherwise every bucket is looked through. */
	unsigned span = cache->key_max - limit;
	if (span < cache->bucket_count)
		for (unsigned i = 0; i <= span; i++)
			truncate_bucket(cache, bucket_of(cache, limit + i), limit);
	else
		for (size_t i = 0; i < cache->bucket_count; i++)
			truncate_bucket(cache, &cache->buckets[i], limit);
	cache->key_max = limit > 0 ? limit - 1 : 0;
}

static void shrink(sqlite3_pcache *cache)
{
	evict_down_to(cache, 0);
}

int lg_pcache_install(void)
{
	static const sqlite3_pcache_methods2 methods = {
		.iVersion = 1,
		.xInit = start,
		.xCreate = create,
		.xCachesize = set_size,
		.xPagecount = count,
		.xFetch = fetch,
		.xUnpin = release,
		.xRekey = rekey,
		.xTruncate = truncate_at,
		.xDestroy = destroy,
		.xShrink = shrink,
	};

	return sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods);
}
