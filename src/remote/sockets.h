/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The sockets of the multi handle, and whose turn it is.
 *
 * curl serves all that are ready in one go, each until it is empty: with much in flight that takes tens of
 * milliseconds, in an order of its own, and a new request waits for the end of it. So one socket has its turn at a
 * time: what is being sent first, then the one whose request came first of those somebody waits for, then of the others.
 *
 * All of it is the courier's thread's.
 */
#ifndef LG_REMOTE_SOCKETS_H
#define LG_REMOTE_SOCKETS_H

#include "remote/curl.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { LG_SOCKETS = 64 };

struct lg_sockets {
	unsigned count;
	bool full; /* there were more: curl does it in its own way */
	struct pollfd table[LG_SOCKETS];
	CURL *easy[LG_SOCKETS];
	uint64_t timer_ms; /* when curl wants to be called; UINT64_MAX: not */
};

/* Follows the handle's sockets from now on. */
void lg_sockets_start(struct lg_sockets *sockets, CURLM *multi);

/* One turn, if there is something to do now. `rank`: of a transfer, the least is the first. */
bool lg_sockets_turn(struct lg_sockets *sockets, CURLM *multi, uint64_t now_ms,
		     uint64_t (*rank)(CURL *easy));

#endif
