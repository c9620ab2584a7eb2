/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The servers: threads that answer faults of others, with `faults:threads`. Each reads one message at a time, so that what it
 * does not serve yet is there for the others; a page that several wait for is brought in once, and all are woken. One of them
 * waits for the next message, the others that have nothing to do wait for it to have one: a message that wakes all of them, each of
 * which then looks for more, takes the processors from the program's threads.
 *
 * A message may be read long before it is served: somebody else brings its page in, who touched it goes on, and the map
 * is closed. A server therefore says which map it is at work on before it looks at it, and who closes a map waits for those
 * that are at work on this one, and for no others, whose stores may take as long as they like.
 *
 * A fault of a map that the crew has no server for (crew.h), or of a page that one is at work on, waits in a list; a server that is back
 * looks there first. What finds the list full is served all the same.
 *
 * Ordering edges
 *   V1 enter: the map's name, then the atlas is looked at again; leave: the map is out of the atlas, then the names are
 *      looked at, by changing each by nothing. All changes of a name are read-modify-writes: the later of the two sees
 *      what the other did before, so that the server does not find the map, or whoever closes it finds the server.
 *   V2 exit to leave: what the server did to the map comes before its end.
 */
#ifndef LG_PAGER_SERVER_H
#define LG_PAGER_SERVER_H

#include "base/bits.h"
#include "os/latch.h"
#include "os/userfault.h"
#include "pager/crew.h"

#include <stdint.h>

struct lg_map;
struct lg_pager;

enum {
	LG_SERVERS = 4, /* for one map */
	LG_SERVERS_ALL = LG_SERVERS + LG_CREW_SPARE,
	LG_FAULTS_WAITING = 1024,
};

struct lg_servers {
	_Atomic(uint32_t) started;
	_Atomic(uintptr_t) at_work[LG_SERVERS_ALL]; /* each server's map; 0: none */
	struct lg_os_latch latch;                   /* of what follows, and of maps' `servers` */
	struct lg_crew crew;
	uint64_t pages[LG_SERVERS_ALL]; /* where the page is that each is at work on; 0: none */
	uint32_t waiting_count;
	struct lg_os_fault waiting[LG_FAULTS_WAITING]; /* the oldest first */
};

void *lg_server_run(void *pager);

/* The map of this pager that the address lies in, which stays until the server exits; NULL: it ended, and no exit. */
struct lg_map *lg_server_enter(struct lg_pager *pager, unsigned server, const void *address);
void lg_server_exit(struct lg_pager *pager, unsigned server);

/* The map is not in the atlas any more: returns when no server is at work on it. */
void lg_server_leave(struct lg_map *map);

#endif
