/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: without any one of the kernel's newer features, and without those that Linux 6.1 lacks, all works, in
 * both ways to serve faults; without both ways for a page to leave, writable maps are refused in words, and
 * read-only ones work.
 * Method: the option `without`; small and huge pages; three times the budget, then all calls.
 * Oracle: contents, in memory and in the store; the budget; words.
 */
#include "fault/child.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#define MIB ((size_t)1 << 20)

static const char *const features[] = { "",
					",without:move",
					",without:wp",
					",without:poison",
					",without:move+poison",
					",without:wp+poison" };
static const char *const ways[] = { ",faults:inline", ",faults:threads" };
static const char *const pages[] = { "memory:1M,page:4K", "memory:2M,page:64K",
				     "memory:16M,page:2M" };

static lg_pager *open_pager(const char *page, const char *way, const char *without)
{
	char options[128];
	lg_pager *pager;

	snprintf(options, sizeof(options), "%s%s%s", page, way, without);
	pager = lg_pager_new(options);
	if (pager == NULL && errno == EPERM)
		return NULL;
	if (pager == NULL)
		fprintf(stderr, "%s: %s\n", options, lg_error());
	CLAIM(pager != NULL);
	return pager;
}

static void claim_budget(lg_pager *pager)
{
	struct lg_pager_stats stats;

	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	CLAIM(stats.resident <= stats.budget);
	CLAIM(stats.peak <= stats.budget);
}

static void use(lg_pager *pager, size_t bytes)
{
	struct shelf shelf;

	shelf_make(&shelf, bytes);
	lg_map *map = lg_map_store(pager, &shelf_ops, &shelf, bytes, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	for (size_t i = 0; i < bytes; i += 4096) {
		CLAIM(data[i] == shelf_byte(i));
		data[i] = (char)(i >> 12);
	}
	claim_budget(pager);
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	for (size_t i = 0; i < bytes; i += 4096)
		CLAIM(shelf.bytes[i] == (char)(i >> 12));
	data[bytes - 1] = 'e';
	CLAIM(lg_map_pin(map, bytes - 1, 1) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	CLAIM(lg_map_unpin(map, bytes - 1, 1) == 0);
	for (size_t i = 0; i < bytes; i += 4096)
		CLAIM(data[i] == (char)(i >> 12));
	CLAIM(lg_map_write(map, "abc", 3, 4095) == 3);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	CLAIM(memcmp(data + 4095, "abc", 3) == 0);
	claim_budget(pager);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(memcmp(shelf.bytes + 4095, "abc", 3) == 0);
	CLAIM(shelf.bytes[bytes - 1] == 'e');
	shelf_end(&shelf);
}

static void refuse_without_a_way_out(const char *way)
{
	lg_pager *pager = open_pager("memory:1M,page:16K", way, ",without:move+wp");
	struct shelf shelf;

	if (pager == NULL)
		return;
	CLAIM(lg_map_memory(pager, MIB, NULL) == NULL);
	CLAIM(errno == EOPNOTSUPP);
	CLAIM(strstr(lg_error(), "write-protect") != NULL);
	shelf_make(&shelf, 4 * MIB);
	lg_map *map = lg_map_store(pager, &shelf_ops, &shelf, 4 * MIB, "readonly:on");
	CLAIM(map != NULL);
	for (size_t i = 0; i < 4 * MIB; i += 512)
		CLAIM(((char *)lg_map_data(map))[i] == shelf_byte(i));
	claim_budget(pager);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	alarm((unsigned)clock_hang_seconds());
	for (unsigned way = 0; way < 2; way++) {
		for (unsigned feature = 0; feature < sizeof(features) / sizeof(features[0]);
		     feature++)
			for (unsigned page = 0; page < 3; page++) {
				lg_pager *pager =
					open_pager(pages[page], ways[way], features[feature]);

				if (pager == NULL)
					continue;
				use(pager, (page == 2 ? 40 : 5) * MIB + 100);
				CLAIM(lg_pager_free(pager) == 0);
			}
		refuse_without_a_way_out(ways[way]);
	}
	return EXIT_SUCCESS;
}
