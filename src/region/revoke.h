/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_REVOKE_H
#define LG_REGION_REVOKE_H

#include <stdbool.h>

enum lg_revoke {
	LG_REVOKE_IDLE, /* what threads did not use since the last such call; the worker's alone */
	LG_REVOKE_CREDIT, /* all credit, the caller's too, and nothing else */
	LG_REVOKE_ALL,    /* everything but what the caller's cache holds */
};

/*
 * Takes to the pools what threads' caches hold. A thread inside its cache keeps it. The protocol is in
 * cache.h. Without membarrier nothing can be taken from others.
 */
void lg_revoke(enum lg_revoke what);

/* Some cache holds or may hold regions without a miss first. */
bool lg_revoke_is_due(void);

#endif
