/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a map that a server has entered stays until it exits (edges V1 and V2), however often maps come and go.
 * Method: servers that enter by addresses, as of messages read long ago, while maps are put into the atlas and taken out.
 * The maps are addresses only.
 * Oracle: a map is marked dead, without an atomic, once leave has returned, and alive before it is added: no server meets a
 * dead one, and ThreadSanitizer no race. Both sides met.
 */
#include "pager/atlas.h"
#include "pager/map.h"
#include "pager/server.h"
#include "stress/claim.h"
#include "stress/clock.h"
#include "stress/random.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAPS = 3, SHIFT = 12, DEAD = 0, ALIVE = 77 };

static struct lg_pager pager, another;
static struct lg_map maps[MAPS];
static atomic_bool stop;
static atomic_ulong found, missed;

static char *address(size_t map)
{
	return (char *)((uintptr_t)1 << 40) + (map << SHIFT);
}

static void *be_server(void *number)
{
	unsigned server = (unsigned)(uintptr_t)number;
	uint64_t random = server + 1;

	while (!atomic_load(&stop)) {
		size_t at = random_next(&random) % MAPS;
		struct lg_map *map = lg_server_enter(&pager, server, address(at));

		if (map == NULL) {
			atomic_fetch_add(&missed, 1);
			continue;
		}
		CLAIM(map == &maps[at]);
		CLAIM(map->pager == &pager);
		for (int i = 0; i < 8; i++)
			CLAIM(map->bytes == ALIVE);
		atomic_fetch_add(&found, 1);
		lg_server_exit(&pager, server);
	}
	return NULL;
}

/* In turns the map is another pager's, whose servers these are not. */
static void *come_and_go(void *argument)
{
	struct lg_map *map = argument;

	for (unsigned turn = 0; !atomic_load(&stop); turn++) {
		map->pager = turn % 4 == 3 ? &another : &pager;
		map->bytes = ALIVE;
		CLAIM(lg_atlas_add(map) == 0);
		lg_atlas_remove(map);
		lg_server_leave(map);
		map->bytes = DEAD;
	}
	return NULL;
}

int main(void)
{
	pthread_t servers[LG_SERVERS], closers[MAPS];

	for (size_t i = 0; i < MAPS; i++) {
		maps[i].base = address(i);
		maps[i].pages = 1;
		maps[i].shift = SHIFT;
		CLAIM(pthread_create(&closers[i], NULL, come_and_go, &maps[i]) == 0);
	}
	for (size_t i = 0; i < LG_SERVERS; i++)
		CLAIM(pthread_create(&servers[i], NULL, be_server, (void *)i) == 0);
	double end = clock_end_of_run(1);
	while (!clock_passed(end) || atomic_load(&found) == 0 || atomic_load(&missed) == 0)
		clock_breathe();
	atomic_store(&stop, true);
	for (size_t i = 0; i < LG_SERVERS; i++)
		CLAIM(pthread_join(servers[i], NULL) == 0);
	for (size_t i = 0; i < MAPS; i++)
		CLAIM(pthread_join(closers[i], NULL) == 0);
	return EXIT_SUCCESS;
}
