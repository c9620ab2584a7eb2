/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: under RLIMIT_AS, and under RLIMIT_DATA, which counts what may be written, a pager takes a part of the addresses and
 * leaves its maps the rest, however much memory the machine has; what does not fit is an error that names the limit.
 * Method: children under limits of each kind from 16 MiB to 4 GiB.
 * Oracle: contents of the maps, errno, the words.
 */
#include "fault/child.h"

#include <lgalloc/lgalloc.h>
#include <lgalloc/pager.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static const struct kind {
	unsigned resource;
	const char *name;
} kinds[] = { { RLIMIT_AS, "RLIMIT_AS (ulimit -v) is set" },
	      { RLIMIT_DATA, "RLIMIT_DATA (ulimit -d) is set" } };
static const struct kind *kind;

static void limit_addresses(size_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	CLAIM(setrlimit(kind->resource, &limit) == 0);
}

static void claim_works(lg_map *map)
{
	enum { PLACES = 512 }; /* more than the budget is */
	char *data = lg_map_data(map);

	CLAIM(map != NULL);
	const size_t step = lg_map_size(map) / PLACES;
	for (size_t i = 0; i < PLACES; i++)
		data[i * step] = (char)i;
	for (size_t i = 0; i < PLACES; i++)
		CLAIM(data[i * step] == (char)i);
	CLAIM(lg_map_close(map) == 0);
}

static void claim_names_the_limit(void)
{
	CLAIM(errno == ENOMEM || errno == EAGAIN);
	CLAIM(strstr(lg_error(), kind->name) != NULL);
}

/* A map of a quarter of the limit, and a budget that can be as large. */
static void live_within(void *argument)
{
	const size_t limit = *(const size_t *)argument;
	lg_pager *pager;

	limit_addresses(limit);
	pager = lg_pager_new("memory:1M,page:4K");
	CLAIM(pager != NULL);
	claim_works(lg_map_memory(pager, limit / 4, "page:64K,reserve:lazy"));
	claim_works(lg_map_memory(pager, limit / 4, "reserve:lazy"));
	CLAIM(lg_pager_resize(pager, limit / 4) == 0);
	CLAIM(lg_pager_resize(pager, limit) == -EINVAL);
	CLAIM(lg_map_memory(pager, limit, "reserve:lazy") == NULL);
	claim_names_the_limit();
	claim_works(lg_map_memory(pager, 16 * MIB, NULL));
	CLAIM(lg_pager_free(pager) == 0);
}

/* What was asked for is had, also where it is more than a part of the limit. */
static void have_what_was_asked_for(void *unused)
{
	lg_pager *pager;

	(void)unused;
	limit_addresses(1024 * MIB);
	pager = lg_pager_new("memory:512M");
	CLAIM(pager != NULL);
	CLAIM(lg_pager_resize(pager, 256 * MIB) == 0);
	CLAIM(lg_pager_resize(pager, 512 * MIB) == 0);
	CLAIM(lg_pager_resize(pager, 513 * MIB) == -EINVAL);
	claim_works(lg_map_memory(pager, 64 * MIB, NULL));
	CLAIM(lg_pager_free(pager) == 0);
}

static void live_on_the_default_one(void *unused)
{
	(void)unused;
	limit_addresses(1024 * MIB);
	claim_works(lg_map_memory(NULL, 64 * MIB, NULL));
}

/* Of the pager of regions. */
static double told_budget(void)
{
	static char text[1 << 18];
	int file = memfd_create("metrics", 0);
	double budget = -1;

	CLAIM(file >= 0 && lg_metrics_write(file, LG_PROMETHEUS) == 0);
	CLAIM(pread(file, text, sizeof(text) - 1, 0) > 0);
	const char *line = strstr(text, "\nlgalloc_option_paged_memory_bytes ");
	CLAIM(line != NULL && sscanf(line, " %*s %lf", &budget) == 1);
	close(file);
	return budget;
}

static void page_regions(void *unused)
{
	const size_t limit = 1024 * MIB;

	(void)unused;
	limit_addresses(limit);
	CLAIM(lg_configure("backing:paged,faults:inline,reserve:off") == 0);
	lg_region *region = lg_region_new(8 * MIB);
	CLAIM(region != NULL);
	memset(lg_region_data(region), 'r', 8 * MIB);
	CLAIM(told_budget() <= (double)limit / 4);
	lg_region_free(region);
}

/* Whatever it is that has no addresses any more. */
static void fail_with_words(void *argument)
{
	lg_pager *pager;
	lg_map *map;

	limit_addresses(*(const size_t *)argument);
	pager = lg_pager_new("memory:1M");
	if (pager == NULL) {
		claim_names_the_limit();
		return;
	}
	map = lg_map_memory(pager, 32 * MIB, NULL);
	if (map == NULL)
		claim_names_the_limit();
	else
		claim_works(map);
	CLAIM(lg_pager_free(pager) == 0);
}

static void claim_all(void)
{
	static const size_t limits_mib[] = { 512, 1024, 4096 };

	for (unsigned i = 0; i < sizeof(limits_mib) / sizeof(limits_mib[0]); i++) {
		size_t limit = limits_mib[i] * MIB;

		(void)child_claim("live_within", live_within, &limit);
	}
	(void)child_claim("have_what_was_asked_for", have_what_was_asked_for, NULL);
	(void)child_claim("live_on_the_default_one", live_on_the_default_one, NULL);
	(void)child_claim("page_regions", page_regions, NULL);
	for (size_t limit = 16 * MIB; limit <= 320 * MIB; limit += 3 * MIB)
		(void)child_claim("fail_with_words", fail_with_words, &limit);
}

int main(void)
{
	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]); kind++)
		claim_all();
	return EXIT_SUCCESS;
}
