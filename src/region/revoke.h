/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_REVOKE_H
#define LG_REGION_REVOKE_H

#include <stdbool.h>

/*
 * Takes to the pools what threads' caches hold for classes they did not use since the last call, or
 * (`all`) hold at all. A thread inside its cache keeps it. Only the worker calls without `all`. The
 * protocol is in cache.h. Without membarrier nothing can be taken.
 */
void lg_revoke(bool all);

/* Some cache holds or may hold regions without a miss first. */
bool lg_revoke_is_due(void);

#endif
