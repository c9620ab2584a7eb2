/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What heaps call of the layers that are not fuzzed. */
#include "pager/roster.h"

void lg_worker_watch(void)
{
}
