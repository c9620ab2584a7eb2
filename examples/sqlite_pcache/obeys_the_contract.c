/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Goal: random calls, as SQLite may make them, get from the page cache what its interface promises.
 * Oracle: a list of what each page was last given. A pinned page is there, at its place, with its bytes; an
 * unpinned one has them or is gone, the longest unpinned ones first; a page taken as new is told by a zeroed
 * extra; counts are right. SQLite's own cache has to satisfy it as well, or the oracle asks for too much.
 *
 *     obeys_the_contract default|regions [STEPS]
 */
#include "requirement.h"
#include "sqlite_pcache.h"

#include <lgalloc/lgalloc.h>

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 3000 };

struct entry {
	sqlite3_pcache_page *page; /* where it was seen last */
	uint64_t stamp;            /* 0: nothing is known of this key */
	uint64_t unpinned_at;
	bool pinned;
};

struct trial {
	const sqlite3_pcache_methods2 *methods;
	sqlite3_pcache *cache;
	size_t page_bytes, extra_bytes;
	bool purgeable, regions;
	unsigned keys, pages_max;
	unsigned pinned, live;  /* live: pinned, or not known to be gone */
	uint64_t evicted_until; /* some page unpinned at this moment was found gone */
	uint64_t clock;
	uint64_t random;
	struct entry entries[KEYS_MAX + 1];
};

static unsigned below(struct trial *trial, unsigned limit)
{
	trial->random = trial->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((trial->random >> 33) % limit);
}

/* --- the bytes of a page: first, middle and last word of it, every word of the extra ---------------- */

static uint64_t *word_at(void *bytes, size_t offset)
{
	return (uint64_t *)(void *)((unsigned char *)bytes + offset);
}

static void write_stamp(const struct trial *trial, const struct entry *entry)
{
	size_t last = trial->page_bytes - sizeof(uint64_t);

	*word_at(entry->page->pBuf, 0) = entry->stamp;
	*word_at(entry->page->pBuf, trial->page_bytes / 2) = entry->stamp + 1;
	*word_at(entry->page->pBuf, last) = entry->stamp + 2;
	for (size_t at = 0; at + sizeof(uint64_t) <= trial->extra_bytes; at += sizeof(uint64_t))
		*word_at(entry->page->pExtra, at) = entry->stamp + at;
}

static void check_stamp(const struct trial *trial, unsigned key)
{
	const struct entry *entry = &trial->entries[key];
	size_t last = trial->page_bytes - sizeof(uint64_t);

	REQUIRE(*word_at(entry->page->pBuf, 0) == entry->stamp, "key %u", key);
	REQUIRE(*word_at(entry->page->pBuf, trial->page_bytes / 2) == entry->stamp + 1, "key %u",
		key);
	REQUIRE(*word_at(entry->page->pBuf, last) == entry->stamp + 2, "key %u", key);
	for (size_t at = 0; at + sizeof(uint64_t) <= trial->extra_bytes; at += sizeof(uint64_t))
		REQUIRE(*word_at(entry->page->pExtra, at) == entry->stamp + at, "key %u", key);
}

/* --- the list ------------------------------------------------------------------------------------------ */

static void forget(struct trial *trial, struct entry *entry)
{
	trial->live -= entry->stamp != 0;
	trial->pinned -= entry->pinned;
	*entry = (struct entry){ 0 };
}

static void found_gone(struct trial *trial, unsigned key)
{
	struct entry *entry = &trial->entries[key];

	REQUIRE(!entry->pinned, "key %u was pinned", key);
	REQUIRE(entry->stamp == 0 || trial->purgeable, "key %u of a cache that cannot be purged",
		key);
	if (entry->unpinned_at > trial->evicted_until)
		trial->evicted_until = entry->unpinned_at;
	forget(trial, entry);
}

static void found(struct trial *trial, unsigned key, sqlite3_pcache_page *page)
{
	struct entry *entry = &trial->entries[key];

	REQUIRE(entry->stamp != 0, "key %u was never put there, or is gone", key);
	REQUIRE(!entry->pinned || entry->page == page, "key %u has moved while pinned", key);
	REQUIRE(entry->pinned || entry->unpinned_at > trial->evicted_until,
		"key %u is there, but one used after it is not", key);
	entry->page = page;
	check_stamp(trial, key);
	trial->pinned += !entry->pinned;
	entry->pinned = true;
}

static void made(struct trial *trial, unsigned key, sqlite3_pcache_page *page)
{
	struct entry *entry = &trial->entries[key];

	if (entry->stamp != 0)
		found_gone(trial, key);
	*entry = (struct entry){ .page = page, .stamp = ++trial->clock << 16, .pinned = true };
	trial->pinned++;
	trial->live++;
	write_stamp(trial, entry);
}

/* --- the calls ----------------------------------------------------------------------------------------- */

static void fetch(struct trial *trial, unsigned key, int create)
{
	sqlite3_pcache_page *page = trial->methods->xFetch(trial->cache, key, create);

	if (page == NULL) {
		REQUIRE(create != 2, "no page for key %u", key);
		found_gone(trial, key);
	} else if (*word_at(page->pExtra, 0) == 0) {
		REQUIRE(create != 0, "key %u was made without being asked for", key);
		made(trial, key, page);
	} else {
		found(trial, key, page);
	}
}

static void unpin(struct trial *trial, unsigned key, bool discard)
{
	struct entry *entry = &trial->entries[key];

	if (!entry->pinned)
		return;
	discard |= !trial->purgeable;
	trial->methods->xUnpin(trial->cache, entry->page, discard);
	if (discard) {
		forget(trial, entry);
	} else {
		entry->pinned = false;
		entry->unpinned_at = ++trial->clock;
		trial->pinned--;
	}
}

static void rekey(struct trial *trial, unsigned from, unsigned to)
{
	struct entry *entry = &trial->entries[from], *other = &trial->entries[to];

	if (!entry->pinned || other->pinned || from == to)
		return;
	/* SQLite never has a page in the way that cannot be purged. */
	if (!trial->purgeable && other->stamp != 0)
		return;
	/* SQLite 3.40 looks itself and discards, and its own cache counts on that. The manual does not. */
	if (!trial->regions || below(trial, 2) == 0) {
		fetch(trial, to, 0);
		unpin(trial, to, true);
	}
	trial->methods->xRekey(trial->cache, entry->page, from, to);
	forget(trial, other);
	*other = *entry;
	*entry = (struct entry){ 0 };
}

static void truncate_at(struct trial *trial, unsigned limit)
{
	trial->methods->xTruncate(trial->cache, limit);
	for (unsigned key = limit; key <= trial->keys; key++)
		forget(trial, &trial->entries[key]);
}

static void shrink(struct trial *trial)
{
	trial->methods->xShrink(trial->cache);
	if (!trial->purgeable)
		return;
	for (unsigned key = 1; key <= trial->keys; key++)
		if (!trial->entries[key].pinned)
			forget(trial, &trial->entries[key]);
	REQUIRE((unsigned)trial->methods->xPagecount(trial->cache) == trial->pinned, "%u pinned",
		trial->pinned);
}

static void resize(struct trial *trial, unsigned pages)
{
	trial->pages_max = pages;
	trial->methods->xCachesize(trial->cache, (int)pages);
}

static void check_count(const struct trial *trial)
{
	unsigned pages = (unsigned)trial->methods->xPagecount(trial->cache);
	unsigned most = trial->pinned > trial->pages_max ? trial->pinned : trial->pages_max;

	REQUIRE(pages >= trial->pinned && pages <= trial->live, "%u pages, %u pinned, %u live",
		pages, trial->pinned, trial->live);
	REQUIRE(!trial->purgeable || pages <= most, "%u pages of %u, %u pinned", pages,
		trial->pages_max, trial->pinned);
}

static void step(struct trial *trial)
{
	unsigned key = 1 + below(trial, trial->keys);
	unsigned what = below(trial, 1000);

	if (what < 450)
		fetch(trial, key, (int)below(trial, 3));
	else if (what < 900)
		unpin(trial, key, below(trial, 10) == 0);
	else if (what < 985)
		rekey(trial, key, 1 + below(trial, trial->keys));
	else if (what < 993)
		truncate_at(trial, trial->keys - below(trial, trial->keys / 10));
	else if (what < 994)
		truncate_at(trial, below(trial, trial->keys));
	else if (what < 998)
		resize(trial, 10 + below(trial, trial->keys));
	else if (what < 999)
		shrink(trial);
	else
		for (unsigned i = 1; i <= trial->keys; i++)
			unpin(trial, i, false);
	check_count(trial);
}

static uint64_t bytes_in_use(void)
{
	struct lg_stats stats;

	lg_stats_read(&stats);
	return stats.in_use_bytes;
}

static void run(const sqlite3_pcache_methods2 *methods, unsigned page_bytes, bool purgeable,
		unsigned steps, bool regions)
{
	static struct trial trial;
	uint64_t before = bytes_in_use();

	trial = (struct trial){
		.methods = methods,
		.page_bytes = page_bytes,
		.extra_bytes = 40 + page_bytes % 7 * 8,
		.purgeable = purgeable,
		.regions = regions,
		.keys = page_bytes < 16384 ? KEYS_MAX : KEYS_MAX / 10,
		.random = page_bytes + purgeable,
	};
	trial.cache = methods->xCreate((int)page_bytes, (int)trial.extra_bytes, purgeable);
	REQUIRE(trial.cache != NULL, "pages of %u", page_bytes);
	resize(&trial, trial.keys / 2);
	for (unsigned i = 0; i < steps; i++)
		step(&trial);
	for (unsigned key = 1; key <= trial.keys; key++)
		if (trial.entries[key].pinned)
			fetch(&trial, key, 0);
	if (regions && purgeable) {
		for (unsigned key = 1; key <= trial.keys; key++)
			unpin(&trial, key, false);
		shrink(&trial);
		/* What is left: the table of buckets. */
		REQUIRE(bytes_in_use() - before <= 64 << 10, "%llu bytes kept by an empty cache",
			(unsigned long long)(bytes_in_use() - before));
	}
	methods->xDestroy(trial.cache);
	REQUIRE(bytes_in_use() == before, "%llu bytes lost",
		(unsigned long long)(bytes_in_use() - before));
}

static uint64_t resident_bytes(void)
{
	struct lg_usage usage;

	REQUIRE(lg_trim() == 0 && lg_usage_read(&usage) == 0, "%s", lg_error());
	return usage.resident_bytes;
}

/* One page in 64 stays in use, so that no slab is empty: what lies between goes back, and again when refilled. */
static void give_back(const sqlite3_pcache_methods2 *methods)
{
	enum { PAGES = 8192, PAGE_BYTES = 4096 };
	sqlite3_pcache *cache = methods->xCreate(PAGE_BYTES, 64, true);

	REQUIRE(cache != NULL, "no cache");
	methods->xCachesize(cache, PAGES);
	for (int round = 0; round < 2; round++) {
		for (unsigned key = 1; key <= PAGES; key++) {
			sqlite3_pcache_page *page = methods->xFetch(cache, key, 2);

			REQUIRE(page != NULL, "key %u", key);
			memset(page->pBuf, 1, PAGE_BYTES);
			if (key % 64 != 0)
				methods->xUnpin(cache, page, false);
		}
		REQUIRE(resident_bytes() >= (uint64_t)PAGES * PAGE_BYTES, "round %d", round);
		methods->xShrink(cache);
		REQUIRE(resident_bytes() < (uint64_t)PAGES * PAGE_BYTES / 4,
			"round %d: %llu bytes still in memory", round,
			(unsigned long long)resident_bytes());
	}
	methods->xDestroy(cache);
}

int main(int count, char **words)
{
	static const unsigned sizes[] = { 512, 1024, 4096, 8192, 65536 };
	bool regions = count > 1 && strcmp(words[1], "regions") == 0;
	unsigned steps = count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 200000;
	sqlite3_pcache_methods2 methods;

	REQUIRE(regions || (count > 1 && strcmp(words[1], "default") == 0),
		"usage: obeys_the_contract default|regions [STEPS]");
	REQUIRE(!regions || lg_pcache_install() == SQLITE_OK, "before SQLite's first use");
	REQUIRE(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &methods) == SQLITE_OK, "no methods");
	REQUIRE(sqlite3_initialize() == SQLITE_OK, "SQLite does not start");
	REQUIRE(lg_pcache_install() == SQLITE_MISUSE, "it was installed while SQLite is in use");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run(&methods, sizes[i], true, steps, regions);
		run(&methods, sizes[i], false, steps, regions);
		printf("%u calls each on pages of %u bytes, purgeable and not\n", steps, sizes[i]);
	}
	if (regions)
		give_back(&methods);
	sqlite3_shutdown();
	return 0;
}
