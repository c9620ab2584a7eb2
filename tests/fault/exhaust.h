/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Taking regions of one size until there are no more, each stamped; and giving them back whole. */
#ifndef FAULT_EXHAUST_H
#define FAULT_EXHAUST_H

#include "stress/claim.h"
#include "stress/stamp.h"

enum { EXHAUST_MOST = 1 << 16 };

static lg_region *exhaust_taken[EXHAUST_MOST];

/* How many came before `error`, in words. */
static inline unsigned exhaust(size_t bytes, int error)
{
	unsigned count = 0;

	while (count < EXHAUST_MOST) {
		errno = 0;
		exhaust_taken[count] = lg_region_new(bytes);
		if (!exhaust_taken[count])
			break;
		stamp_write(lg_region_data(exhaust_taken[count]), bytes, count);
		count++;
	}
	CLAIM(count < EXHAUST_MOST);
	CLAIM(errno == error);
	CLAIM(*lg_error() != '\0');
	return count;
}

static inline void exhaust_give_back(size_t bytes, unsigned count)
{
	while (count-- > 0) {
		CLAIM(stamp_holds(lg_region_data(exhaust_taken[count]), bytes, count));
		lg_region_free(exhaust_taken[count]);
	}
}

#endif
