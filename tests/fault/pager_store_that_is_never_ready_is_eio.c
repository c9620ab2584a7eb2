/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a store that answers EAGAIN to every write has failed: who needs the memory of pages that cannot leave gets
 * -EIO, and does not look again for ever; when the store is ready nothing is lost.
 * Method: a child, with an alarm, that writes twice the budget to such a store, by lg_map_write.
 * Oracle: the calls' answers, and the contents of the store.
 */
#include "fault/child.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

enum { PAGE = 64 << 10, BYTES = 32 * PAGE };

static struct shelf shelf;
static char bytes[BYTES];

/* As many as are in memory then. */
static size_t write_until_it_fails(lg_map *map)
{
	for (size_t at = 0; at < BYTES; at += PAGE) {
		ssize_t done = lg_map_write(map, bytes + at, PAGE, at);

		if (done < 0) {
			CLAIM(done == -EIO);
			return at;
		}
		CLAIM(done == PAGE);
	}
	BROKEN("there is no room for all");
}

static void write_more_than_the_budget(void *options)
{
	struct lg_store_ops ops = shelf_ops;
	lg_pager *pager = lg_pager_new(options);

	if (pager == NULL)
		SKIP("no pager: %s", lg_error());
	shelf_make(&shelf, BYTES);
	memset(bytes, 'w', BYTES);
	atomic_store(&shelf.write_error, -EAGAIN);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	ops.signal_safe = false; /* only writers try: each time it takes a second to find out */
	lg_map *map = lg_map_store(pager, &ops, &shelf, BYTES, NULL);
	CLAIM(map != NULL);
	size_t written = write_until_it_fails(map);
	CLAIM(written > 0);
	CLAIM(lg_map_sync(map, 0, PAGE) == -EIO);
	atomic_store(&shelf.writes_fail, 0);
	int result = lg_map_sync(map, 0, 0);
	CLAIM(result == 0 || result == -EIO); /* a writer's, behind the last sync */
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	for (size_t i = 0; i < written; i++)
		CLAIM(shelf.bytes[i] == 'w');
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	static const char *const tries[] = { "memory:1M,page:64K,faults:inline,prefetch:off",
					     "memory:1M,page:64K,faults:inline,prefetch:off,"
					     "without:move" };

	for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		if (!child_claim(tries[i], write_more_than_the_budget, (void *)(uintptr_t)tries[i]))
			return EXIT_SKIPPED;
	return 0;
}
