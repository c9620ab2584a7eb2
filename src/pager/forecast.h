/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Forecast: whether what a map's reads bring in will be written before it leaves.
 *
 * A page that is read comes write-protected, and its first write is a second fault. Where writes follow most reads it comes
 * writable instead, with the hash of what it has, and is not written to the store if it still has it when it leaves: that costs
 * an eighth of a fault, or less. So each page that was written counts for eight that were not.
 *
 * A guess, made of what was seen lately.
 */
#ifndef LG_PAGER_FORECAST_H
#define LG_PAGER_FORECAST_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

enum { LG_FORECAST_WRITTEN = 8, LG_FORECAST_MOST = 1024 };

/* Above zero: it will. */
typedef _Atomic(int32_t) lg_forecast;

/* What became of a page that was read: it was written, or left without. */
static inline void lg_forecast_note(lg_forecast *forecast, bool written)
{
	int32_t sum = lg_load_relaxed(forecast);

	/* Threads that count at once pass the bounds by what they add. */
	if (written && sum < LG_FORECAST_MOST)
		lg_add_relaxed(forecast, LG_FORECAST_WRITTEN);
	else if (!written && sum > -LG_FORECAST_MOST)
		lg_sub_relaxed(forecast, 1);
}

#endif
