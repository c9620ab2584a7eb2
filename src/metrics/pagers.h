/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the formats say of pagers. */
#ifndef LG_METRICS_PAGERS_H
#define LG_METRICS_PAGERS_H

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(field of struct lg_pager_stats, help): what goes up and down */
#define LG_PAGER_GAUGES(X)                                                                         \
	X(budget, "Memory the pager may have.")                                                    \
	X(resident, "Memory the pager has: pages, held back ones too, and buffers.")               \
	X(peak, "The most memory the pager ever had.")                                             \
	X(pinned, "Memory of pages that are pinned.")                                              \
	X(limbo, "Memory of pages that left their maps and are still held back.")                  \
	X(maps, "Maps of the pager.")                                                              \
	X(map_bytes, "Bytes of the maps.")                                                         \
	X(tables,                                                                                  \
	  "Memory of the maps' tables, and of the kernel's for them at most, which are beside the budget.")

/* Where in struct lg_pager_stats a family's value is, by its name without lgalloc_ and _total. False: in none. */
bool lg_pagers_find(const char *family, size_t length, size_t *offset);

/* 0 of nothing is 0. */
static inline double lg_ratio(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

/* Seconds that this share of the times of a histogram of struct lg_pager_stats does not exceed; 0: there are none. */
double lg_times_quantile(const uint64_t *buckets, double share);

#endif
