/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The first program: a region from its birth to its end, and what the library has counted of it. */
#include <lgalloc/lgalloc.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	lg_region *region = lg_region_new((size_t)3 << 20); /* asked for 3 MiB, has 4 */

	if (region == NULL) {
		fprintf(stderr, "quick_start: %s\n", lg_error());
		return 1;
	}
	strcpy(lg_region_data(region), "large memory whose bytes live in a file");

	lg_region *larger = lg_region_resize(region, (size_t)64 << 20); /* the bytes come along */
	if (larger == NULL) {
		fprintf(stderr, "quick_start: %s\n", lg_error());
		lg_region_free(region); /* which is still intact */
		return 1;
	}
	char *text = lg_region_data(larger);
	printf("%zu MiB: %s\n", lg_region_size(larger) >> 20, text);
	printf("an address inside leads back to it: %s\n",
	       lg_region_of(text + 12345) == larger ? "yes" : "no");

	if (lg_region_advise(larger, 0, 0, LG_COLD) == 0) /* out of memory; the bytes stay */
		printf("and back from the disk: %s\n", text);

	lg_region_free(larger);
	fflush(stdout); /* the table goes to the descriptor, past stdio's buffer */
	return lg_metrics_write(STDOUT_FILENO, LG_TABLE) == 0 ? 0 : 1;
}
