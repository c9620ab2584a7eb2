/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program outside: it includes what is installed, allocates, writes, and gives back. */
#include <lgalloc/lgalloc.h>

#include <stdio.h>
#include <string.h>

int use_regions(void);

int use_regions(void)
{
	lg_region *region = lg_region_new((size_t)3 << 20);
	struct lg_stats stats;
	void *zeros;

	if (region == NULL) {
		fprintf(stderr, "%s\n", lg_error());
		return 1;
	}
	if (lg_region_size(region) != (size_t)4 << 20)
		return 1;
	memset(lg_region_data(region), 1, lg_region_size(region));
	if (lg_region_of((char *)lg_region_data(region) + 12345) != region)
		return 1;
	lg_region_free(region);
	zeros = lg_calloc(1000, 1000);
	if (zeros == NULL || *(char *)zeros != 0)
		return 1;
	lg_free(zeros);
	if (lg_stats_read(&stats) != 0 || stats.totals.in_use != 0)
		return 1;
	return lg_trim() == 0 && *lg_version() != '\0' ? 0 : 1;
}

#ifndef PLUGIN
int main(void)
{
	return use_regions();
}
#endif
