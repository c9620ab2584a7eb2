/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Victims: the pages that their policies give up, a batch at a time. The policy whose maps have most in memory is asked first; where
 * none has a page that may leave, those join that were set aside, as members of pieces or refused.
 */
#ifndef LG_PAGER_VICTIMS_H
#define LG_PAGER_VICTIMS_H

#include "pager/pager.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Fills `victims` with handles of pages that are claimed and no policy's, in the order of their addresses: how many, of about `wanted`
 * bytes. *pays: a bit for each page size, whose limbo is worth a call for a lone page. *joined: no policy had any but what was set
 * aside before.
 */
unsigned lg_victims_choose(struct lg_pager *pager, uint32_t victims[LG_BATCH], uint64_t wanted,
			   unsigned *pays, bool *joined);

#endif
