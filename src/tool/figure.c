/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/figure.h"

#include <inttypes.h>
#include <stdio.h>

/* Three digits: 1.23k, 12.3k, 123k. 999.5 and more is the next unit's, or it would be shown as 1e+03. */
static const char *scaled(double value, double factor, const char *units,
			  char text[LG_FIGURE_BYTES])
{
	unsigned unit = 0;

	for (; value >= 999.5 && units[unit + 1] != '\0'; unit++)
		value /= factor;
	if (unit == 0)
		snprintf(text, LG_FIGURE_BYTES, "%.3g", value);
	else
		snprintf(text, LG_FIGURE_BYTES, "%.3g%c", value, units[unit]);
	return text;
}

const char *lg_figure_count(uint64_t count, unsigned width, char text[LG_FIGURE_BYTES])
{
	if ((unsigned)snprintf(text, LG_FIGURE_BYTES, "%" PRIu64, count) <= width)
		return text;
	return scaled((double)count, 1000, " kMGTPE", text);
}

const char *lg_figure_rate(double rate, unsigned width, char text[LG_FIGURE_BYTES])
{
	if (rate >= 1e15)
		return scaled(rate, 1000, " kMGTPE", text);
	if (rate >= 99.95)
		return lg_figure_count((uint64_t)(rate + 0.5), width, text);
	snprintf(text, LG_FIGURE_BYTES, "%.*f", rate >= 9.995 ? 1 : rate > 0 ? 2 : 0, rate);
	return text;
}

const char *lg_figure_bytes(double bytes, char text[LG_FIGURE_BYTES])
{
	return scaled(bytes, 1024, " KMGTPE", text);
}
