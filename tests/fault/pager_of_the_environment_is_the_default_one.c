/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: LGALLOC_PAGER has the options of the default pager and of no other; where they are wrong that is one line on stderr, and
 * the default pager is as without.
 * Method: options that are good, unknown, out of range and at odds with one another, each in a child.
 * Oracle: the statistics of the pagers, the lines on stderr.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static const char environment[] = "LGALLOC_PAGER";

static struct lg_pager_stats use(lg_pager *pager)
{
	struct lg_pager_stats stats;
	lg_map *map = lg_map_memory(pager, 16 * MIB, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);

	for (size_t at = 0; at < 16 * MIB; at += 4096)
		data[at] = (char)(at >> 12);
	for (size_t at = 0; at < 16 * MIB; at += 4096)
		CLAIM(data[at] == (char)(at >> 12));
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	return stats;
}

static void claim_used(void *options)
{
	CLAIM(setenv(environment, options, 1) == 0);
	lg_pager *own = lg_pager_new("memory:4M");
	CLAIM(own != NULL);
	CLAIM(use(own).budget == 4 * MIB);
	CLAIM(lg_pager_free(own) == 0);
	CLAIM(use(NULL).budget == 8 * MIB);
}

static void claim_not_used(void *options)
{
	CLAIM(setenv(environment, options, 1) == 0);
	CLAIM(use(NULL).budget > 16 * MIB);
}

static void claim_told(char *options, const char *words)
{
	struct child_end end = child_try(claim_not_used, options);

	if (!child_ended_well(&end) || strstr(end.text, words) == NULL)
		child_print(options, &end);
	CLAIM(child_ended_well(&end));
	CLAIM(strncmp(end.text, "lgalloc: LGALLOC_PAGER: ", 24) == 0);
	CLAIM(strstr(end.text, words) != NULL);
	CLAIM(strchr(end.text, '\n') == strrchr(end.text, '\n'));
}

int main(void)
{
	char good[] = "memory:8M,page:4K,policy:s3fifo", unknown[] = "memory:8M,pages:4K";
	char outside[] = "memory:8", odd[] = "memory:1M,page:2M", empty[] = "";

	(void)child_claim("good options", claim_used, good);
	(void)child_claim("no options", claim_not_used, empty);
	claim_told(unknown, "pages");
	claim_told(outside, "memory");
	claim_told(odd, "8 pages");
	return EXIT_SUCCESS;
}
