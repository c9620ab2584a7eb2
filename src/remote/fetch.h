/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A fetch: bytes of an object that somebody waits for. The one who waits makes it and gives it to the courier
 * (courier.h), whose thread fills the buffer and finishes it; either may let go first.
 *
 * Whoever waits may be sent away at any time, without the network: from then on nobody touches the buffer.
 *
 * Instead of a buffer a fetch may have a sink, which gets the bytes as they come: nobody waits, and all of the sink's
 * calls are the courier's. The last is made by `landed`.
 */
#ifndef LG_REMOTE_FETCH_H
#define LG_REMOTE_FETCH_H

#include "os/latch.h"
#include "remote/object.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_attempt;

enum { LG_FETCH_ATTEMPTS = 2 }; /* at once: the second is the hedge */

struct lg_fetch {
	struct lg_object *object;
	uint64_t offset;
	uint64_t length; /* of the first one of all, less where the object is shorter */
	bool opening;    /* the first one: the object's version comes with it */
	bool ahead;      /* nobody may ever want it: others go first, and it is given up earlier */
	_Atomic(uint32_t) holders;
	struct lg_store_sink *sink;             /* or NULL */
	void (*landed)(struct lg_fetch *fetch); /* with a sink: the courier is done with it */
	void *owner;                            /* whom that is for */

	struct lg_os_latch latch;
	char *buffer; /* NULL: it is finished, or there is a sink */
	bool finished;
	int error;
	_Atomic(uint32_t) done;
	struct lg_fetch *beside; /* the waiter's */

	struct lg_fetch *next; /* this and what follows: the courier's */
	uint64_t received;
	uint64_t deadline_ms;
	uint64_t resume_ms; /* not before */
	unsigned tries;     /* that failed since bytes came last */
	unsigned hops;      /* redirects followed */
	bool renewed;       /* credentials were read again */
	bool skewed;        /* the server's clock was looked at */
	bool came_home;     /* from where redirects led */
	struct lg_attempt *attempts[LG_FETCH_ATTEMPTS];
};

/* Two holders: who made it, and the courier. NULL: no memory. */
struct lg_fetch *lg_fetch_new(struct lg_object *object, uint64_t offset, uint64_t length,
			      void *buffer);
void lg_fetch_let_go(struct lg_fetch *fetch);

/* The next bytes; the courier's thread, which no signal interrupts. */
void lg_fetch_deliver(struct lg_fetch *fetch, const void *data, uint64_t bytes);

/* Ends the wait with this result, unless it has ended. */
void lg_fetch_finish(struct lg_fetch *fetch, int error);

/* Sleeps until it is finished: 0 or -errno. */
int lg_fetch_wait(struct lg_fetch *fetch);

#endif
