/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Numbers to look at, in a bounded width: exact where they fit, else three digits and a unit. */
#ifndef LG_TOOL_FIGURE_H
#define LG_TOOL_FIGURE_H

#include <stdint.h>

enum { LG_FIGURE_BYTES = 32 };

/* 1234567, or 12.3M if that is wider; units of 1000. Width 6 at least. */
const char *lg_figure_count(uint64_t count, unsigned width, char text[LG_FIGURE_BYTES]);

/* 0.25, 12.3, 1234 or 1.23M. */
const char *lg_figure_rate(double rate, unsigned width, char text[LG_FIGURE_BYTES]);

/* 512, 64K, 1.5G: units of 1024, 5 wide at most. */
const char *lg_figure_bytes(double bytes, char text[LG_FIGURE_BYTES]);

#endif
