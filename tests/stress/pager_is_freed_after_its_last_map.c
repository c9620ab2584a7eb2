/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: lg_pager_free says EBUSY while another thread's lg_map_close of the last map needs the pager, and frees it as soon
 * as it does not.
 * Method: round after round a pager with a map that has something to write; one thread closes the map while the other
 * frees, again and again until it is not refused.
 * Oracle: the answers; the store, which has everything and was closed once; a sanitizer, or SIGSEGV, for the pager's memory is
 * unmapped by then.
 */
#include "stress/crew.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <errno.h>
#include <sched.h>

enum { PAGE = 4096, PAGES = 16, ROUNDS = 1000 };
enum { CLOSER, FREER, THREADS };

static lg_pager *pager;
static lg_map *map;
static unsigned refused;

static void close_and_free(struct crew_member *member)
{
	int error = -EBUSY;

	if (member->number == CLOSER) {
		CLAIM(lg_map_close(map) == 0);
		return;
	}
	while ((error = lg_pager_free(pager)) == -EBUSY) {
		refused++;
		sched_yield();
	}
	CLAIM(error == 0);
}

static void try_once(void)
{
	static struct crew crew;
	struct shelf shelf;

	pager = lg_pager_new("memory:1M,page:4K,writers:1,readers:1");
	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	shelf_make(&shelf, PAGES * PAGE);
	map = lg_map_store(pager, &shelf_ops, &shelf, PAGES * PAGE, NULL);
	CLAIM(map != NULL);
	memset(lg_map_data(map), 'd', PAGES * PAGE);
	crew_start(&crew, THREADS, 0, close_and_free);
	crew_join(&crew);
	CLAIM(atomic_load(&shelf.closes) == 1);
	for (unsigned i = 0; i < PAGES * PAGE; i++)
		CLAIM(shelf.bytes[i] == 'd');
	shelf_end(&shelf);
}

int main(void)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		try_once();
	printf("%u refused in %d rounds\n", refused, ROUNDS);
	return EXIT_SUCCESS;
}
