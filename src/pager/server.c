/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/server.h"

#include "os/clock.h"
#include "pager/atlas.h"
#include "pager/fault.h"
#include "pager/map.h"
#include "pager/poison.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* Faults come in bursts, and to sleep costs more than some tries: with 40 a lone toucher waits twice as long. */
enum { TRIES = 100, PAUSE_US = 50, STARVED_PAUSE_US = 10000 };

#define GIVE_UP_NS ((uint64_t)10000000000)

struct lg_map *lg_server_enter(struct lg_pager *pager, unsigned server, const void *address)
{
	_Atomic(uintptr_t) *place = &pager->servers.at_work[server];
	struct lg_map *map = lg_atlas_find_of(pager, address), *again;

	for (;; map = again) {
		(void)lg_swap_ordered(place, (uintptr_t)map); /* V1 */
		again = lg_atlas_find_of(pager, address);
		if (again == map)
			return map;
	}
}

void lg_server_exit(struct lg_pager *pager, unsigned server)
{
	(void)lg_swap_release(&pager->servers.at_work[server], (uintptr_t)0); /* V1, V2 */
}

/*
 * Until it is there, is poisoned, or no memory could be had for long enough: the kernel may lack it for a moment, the pager waits
 * by itself. A thread that serves itself would get SIGBUS then; this one can get it only of a poisoned page.
 */
static void bring(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	uint64_t until = lg_os_now_ns() + GIVE_UP_NS;
	bool starved;
	int error;

	while ((error = lg_fault_serve_other(map, page, access, &starved)) == -ENOMEM && starved &&
	       lg_os_now_ns() < until)
		lg_os_sleep_us(STARVED_PAUSE_US);
	if (starved)
		lg_poison_starved(map, page, error);
}

static uint64_t page_of(const struct lg_map *map, const struct lg_os_fault *fault)
{
	return (fault->address - (uint64_t)(uintptr_t)map->base) >> map->shift;
}

/* It may have been there already, or poisoned: whoever waits is woken, and tries again. */
static void serve(struct lg_map *map, const struct lg_os_fault *fault)
{
	uint64_t page = page_of(map, fault);
	bool writes = fault->write || fault->protect;

	lg_recent_for(fault->thread);
	bring(map, page, writes ? LG_OS_ACCESS_WRITE : LG_OS_ACCESS_READ);
	(void)lg_os_userfault_wake(&map->pager->userfault, lg_map_page_at(map, page),
				   lg_map_page_bytes(map));
}

/* --- which fault is next ------------------------------------------------------------------------ */

/* A thread that gets signals faults again after each: its page has one server all the same. */
static bool is_another_at(const struct lg_servers *servers, uint64_t page)
{
	for (unsigned i = 0; i < LG_SERVERS_ALL; i++)
		if (servers->pages[i] == page)
			return true;
	return false;
}

static void join(struct lg_servers *servers, unsigned server, struct lg_map *map, uint64_t page)
{
	lg_crew_join(&servers->crew, &map->servers);
	servers->pages[server] = page;
}

/*
 * The fault's map, which this server is at work for then; NULL: it ended, or (*waits) has no server to spare, or one at this page.
 * `first`: or has one at work. The fault is where its page begins then. Under the latch.
 */
static struct lg_map *begin(struct lg_pager *pager, unsigned server, struct lg_os_fault *fault,
			    bool first, bool *waits)
{
	struct lg_servers *servers = &pager->servers;
	struct lg_map *map = lg_server_enter(pager, server, (void *)(uintptr_t)fault->address);

	*waits = false;
	if (map == NULL)
		return NULL;
	fault->address = (uint64_t)(uintptr_t)lg_map_page_at(map, page_of(map, fault));
	*waits = (first && map->servers > 0) || is_another_at(servers, fault->address) ||
		 !lg_crew_may_enter(&servers->crew, map->servers);
	if (!*waits) {
		join(servers, server, map, fault->address);
		return map;
	}
	lg_server_exit(pager, server);
	return NULL;
}

static void end(struct lg_pager *pager, unsigned server, struct lg_map *map)
{
	struct lg_servers *servers = &pager->servers;

	lg_os_latch_take(&servers->latch);
	lg_crew_leave(&servers->crew, &map->servers);
	servers->pages[server] = 0;
	lg_server_exit(pager, server);
	lg_os_latch_release(&servers->latch);
}

/* One that waits is not in the list any more. Under the latch. */
static void forget_waiting(struct lg_servers *servers, uint32_t at)
{
	memmove(&servers->waiting[at], &servers->waiting[at + 1],
		(--servers->waiting_count - at) * sizeof(servers->waiting[0]));
}

static struct lg_map *take_first(struct lg_pager *pager, unsigned server, struct lg_os_fault *fault,
				 bool first)
{
	struct lg_servers *servers = &pager->servers;
	struct lg_map *map = NULL;
	bool waits;

	for (uint32_t i = 0; map == NULL && i < servers->waiting_count;) {
		*fault = servers->waiting[i];
		map = begin(pager, server, fault, first, &waits);
		if (waits)
			i++;
		else
			forget_waiting(servers, i);
	}
	return map;
}

/*
 * One of those that wait whose map has a server to spare by now: of a map that has none at work, or else there might be two who can
 * begin, and one of them would have to be woken.
 */
static struct lg_map *take_waiting(struct lg_pager *pager, unsigned server,
				   struct lg_os_fault *fault)
{
	struct lg_servers *servers = &pager->servers;

	lg_os_latch_take(&servers->latch);
	struct lg_map *map = take_first(pager, server, fault, true);
	if (map == NULL)
		map = take_first(pager, server, fault, false);
	lg_os_latch_release(&servers->latch);
	return map;
}

/* Of one page, once is enough. False: the list is full. Under the latch. */
static bool wait_in_list(struct lg_servers *servers, const struct lg_os_fault *fault)
{
	for (uint32_t i = 0; i < servers->waiting_count; i++) {
		struct lg_os_fault *other = &servers->waiting[i];

		if (other->address != fault->address)
			continue;
		other->write |= fault->write;
		other->protect |= fault->protect;
		return true;
	}
	if (servers->waiting_count == LG_FAULTS_WAITING)
		return false;
	servers->waiting[servers->waiting_count++] = *fault;
	return true;
}

/* A fault that was just read; NULL: its map ended, or it waits. */
static struct lg_map *take_read(struct lg_pager *pager, unsigned server, struct lg_os_fault *fault)
{
	struct lg_servers *servers = &pager->servers;
	bool waits;

	lg_os_latch_take(&servers->latch);
	struct lg_map *map = begin(pager, server, fault, false, &waits);
	if (waits && !wait_in_list(servers, fault)) {
		map = lg_server_enter(pager, server, (void *)(uintptr_t)fault->address);
		if (map != NULL)
			join(servers, server, map, fault->address);
	}
	lg_os_latch_release(&servers->latch);
	return map;
}

/* The next message; false: it is time to end. */
static bool take_message(struct lg_pager *pager, struct lg_os_fault *fault)
{
	bool got = false;

	pthread_mutex_lock(&pager->next_message);
	/* One, even if there are more: they would wait for this one's store while others sleep. */
	while (!lg_load_acquire(&pager->stop) &&
	       !(got = lg_os_userfault_read(&pager->userfault, fault, TRIES)))
		if (!lg_os_userfault_wait(&pager->userfault, &pager->hangup))
			break;
	pthread_mutex_unlock(&pager->next_message);
	return got;
}

void *lg_server_run(void *argument)
{
	struct lg_pager *pager = argument;
	unsigned server = lg_add_relaxed(&pager->servers.started, 1);
	struct lg_os_fault fault;

	lg_os_thread_name("lgalloc-fault");
	lg_os_signals_never();
	while (take_message(pager, &fault)) {
		struct lg_map *map = take_read(pager, server, &fault);

		while (map != NULL) {
			serve(map, &fault);
			end(pager, server, map);
			map = take_waiting(pager, server, &fault); /* one may begin since then */
		}
	}
	return NULL;
}

void lg_server_leave(struct lg_map *map)
{
	for (unsigned i = 0; i < LG_SERVERS_ALL; i++) {
		_Atomic(uintptr_t) *place = &map->pager->servers.at_work[i];
		uintptr_t seen = lg_add_ordered(place, (uintptr_t)0); /* V1 */

		while (seen == (uintptr_t)map) {
			lg_os_sleep_us(PAUSE_US);
			seen = lg_load_acquire(place); /* V2 */
		}
	}
}
