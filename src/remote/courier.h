/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The courier: one thread of the process that has all connections, and brings what fetches ask for.
 *
 * At most 16 GETs are in flight, of which reading ahead has at most 12; one that is unanswered after 2 s is
 * hedged by another on a fresh connection. What fails in passing is tried 5 times, and the wait between grows from
 * 100 ms to 5 s, at random (full jitter); what came already is not asked for again. Nothing waits beyond its
 * deadline. When nothing is asked for, the thread sleeps.
 */
#ifndef LG_REMOTE_COURIER_H
#define LG_REMOTE_COURIER_H

#include "remote/fetch.h"

/* Loads libcurl and starts the thread, unless that was done. -errno in words. */
int lg_courier_start(void);

/* Takes one holder's place. The wait for it ends by lg_fetch_finish, at the latest at the deadline. */
void lg_courier_post(struct lg_fetch *fetch);

/* A fetch was finished by somebody else: what is in flight for it can stop. */
void lg_courier_look(void);

#endif
