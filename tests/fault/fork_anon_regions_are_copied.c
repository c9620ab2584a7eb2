/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: after fork a child has its parent's anonymous regions as any memory: the same bytes, its own
 * to change, free, resize and reuse, while the parent's stay as they were.
 * Method: a parent with regions in use, cached and clean; children and a grandchild that read, write,
 * resize and free them and allocate new ones.
 * Oracle: stamps on both sides, checked in the child at the start and in the parent after each child.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/stamp.h"

enum { REGIONS = 40 };

static lg_region *regions[REGIONS];

static size_t size_of(unsigned i)
{
	return (size_t)1 << (12 + i % 12);
}

static void claim_regions(uint64_t id)
{
	for (unsigned i = 0; i < REGIONS; i++)
		CLAIM(stamp_holds(lg_region_data(regions[i]), size_of(i), id + i));
}

static void stamp_regions(uint64_t id)
{
	for (unsigned i = 0; i < REGIONS; i++)
		stamp_write(lg_region_data(regions[i]), size_of(i), id + i);
}

static void read_and_write(void *unused)
{
	(void)unused;
	claim_regions(1);
	stamp_regions(5000);
	claim_regions(5000);
}

static void free_all(void *unused)
{
	(void)unused;
	claim_regions(1);
	for (unsigned i = 0; i < REGIONS; i++) {
		CLAIM(lg_region_of(lg_region_data(regions[i])) == regions[i]);
		lg_region_free(regions[i]);
	}
	account_claim_nothing_lost();
	for (unsigned i = 0; i < REGIONS; i++) {
		regions[i] = lg_region_new_zeroed(size_of(i));
		CLAIM(regions[i] != NULL);
		CLAIM(stamp_all_zero(lg_region_data(regions[i]), size_of(i)));
	}
	stamp_regions(7000);
	CLAIM(lg_trim() == 0);
	claim_regions(7000);
}

static void resize_all(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < REGIONS; i++) {
		lg_region *larger = lg_region_resize(regions[i], 4 * size_of(i));

		CLAIM(larger != NULL);
		CLAIM(stamp_holds(lg_region_data(larger), size_of(i), 1 + i));
		lg_region_free(larger);
	}
	account_claim_nothing_lost();
}

static void have_a_child(void *unused)
{
	read_and_write(NULL);
	(void)unused;
	stamp_regions(1);
	CLAIM(child_claim("free_all in a grandchild", free_all, NULL));
	claim_regions(1);
	CLAIM(child_claim("resize_all in a grandchild", resize_all, NULL));
	claim_regions(1);
	free_all(NULL);
}

int main(void)
{
	CLAIM(lg_configure("backing:anon,interval:20ms") == 0);
	for (unsigned i = 0; i < REGIONS; i++) {
		lg_region *extra = lg_region_new(size_of(i));

		regions[i] = lg_region_new(size_of(i));
		CLAIM(extra != NULL);
		CLAIM(regions[i] != NULL);
		memset(lg_region_data(extra), 0xff, size_of(i));
		lg_region_free(extra);
	}
	stamp_regions(1);
	for (unsigned time = 0; time < 5; time++) {
		child_claim("read_and_write", read_and_write, NULL);
		claim_regions(1);
		child_claim("free_all", free_all, NULL);
		claim_regions(1);
		child_claim("resize_all", resize_all, NULL);
		claim_regions(1);
		child_claim("have_a_child", have_a_child, NULL);
		claim_regions(1);
	}
	for (unsigned i = 0; i < REGIONS; i++)
		lg_region_free(regions[i]);
	account_claim_nothing_lost();
	return EXIT_SUCCESS;
}
