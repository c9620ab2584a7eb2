/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/staging.h"

#include "os/map.h"
#include "pager/budget.h"
#include "pager/pager.h"

#include <errno.h>
#include <string.h>

static bool take_bit(_Atomic(uint64_t) *idle, unsigned *bit)
{
	uint64_t seen = lg_load_relaxed(idle);

	do {
		if (seen == 0)
			return false;
		*bit = (unsigned)__builtin_ctzll(seen);
	} while (!lg_cas_acquire(idle, &seen, seen & (seen - 1))); /* what its last holder wrote */
	return true;
}

/* Memory of our own, in pieces of a huge page. */
static int map_apart(size_t bytes, char **memory)
{
	void *range;
	int error = lg_os_reserve(bytes, (size_t)1 << LG_PAGE_SHIFT_HUGE, &range);

	if (error != 0)
		return error;
	error = lg_os_map_unlocked(range, bytes);
	if (error != 0) {
		lg_os_unreserve(range, bytes);
		return error;
	}
	(void)lg_os_keep_apart(range, bytes);
	*memory = range;
	return 0;
}

int lg_staging_make(struct lg_pager *pager)
{
	struct lg_staging *staging = &pager->staging;
	size_t huge = (size_t)1 << LG_PAGE_SHIFT_HUGE;

	staging->bytes = huge;
	int error = map_apart(huge * LG_STAGING_BUFFERS, &staging->base);
	if (error != 0)
		return error;
	error = map_apart(huge * LG_NURSERY_PAGES, &pager->nursery.base);
	if (error != 0) {
		lg_os_unreserve(staging->base, huge * LG_STAGING_BUFFERS);
		return error;
	}
	(void)lg_os_advise(pager->nursery.base, huge * LG_NURSERY_PAGES, LG_OS_HUGEPAGE);
	/* A huge page for a small page's bytes would not be charged. */
	(void)lg_os_advise(staging->base, huge * LG_STAGING_SMALL, LG_OS_NOHUGEPAGE);
	(void)lg_os_advise(staging->base + huge * LG_STAGING_SMALL, huge * LG_STAGING_HUGE,
			   LG_OS_HUGEPAGE);
	lg_store_relaxed(&staging->idle, ~(uint64_t)0);
	lg_store_relaxed(&staging->idle_huge, lg_ones(0, LG_STAGING_HUGE));
	lg_store_relaxed(&pager->nursery.idle, lg_ones(0, LG_NURSERY_PAGES));
	return 0;
}

void lg_staging_end(struct lg_pager *pager)
{
	lg_os_unreserve(pager->staging.base, pager->staging.bytes * LG_STAGING_BUFFERS);
	lg_os_unreserve(pager->nursery.base, (size_t)LG_NURSERY_PAGES << LG_PAGE_SHIFT_HUGE);
}

static void put_back(struct lg_pager *pager, unsigned bit)
{
	if (bit < LG_STAGING_SMALL)
		lg_or_release(&pager->staging.idle, (uint64_t)1 << bit);
	else
		lg_or_release(&pager->staging.idle_huge, (uint64_t)1 << (bit - LG_STAGING_SMALL));
	lg_add_release(&pager->staging.returned, 1);
	if (lg_load_relaxed(&pager->staging.wanted) > 0)
		lg_os_wake_all(&pager->staging.returned);
}

static uint64_t drop_memory(struct lg_staging *staging, unsigned bit)
{
	uint64_t bytes = staging->touched[bit];

	if (bytes > 0)
		(void)lg_os_drop(staging->base + bit * staging->bytes, staging->bytes);
	staging->touched[bit] = 0;
	return bytes;
}

/* Memory for the buffer, and `more`. Who has to wait for it gives up what the buffer has. */
static int charge(struct lg_pager *pager, unsigned bit, uint64_t bytes, uint64_t more, bool ahead)
{
	struct lg_staging *staging = &pager->staging;
	uint64_t has = staging->touched[bit], missing = has < bytes ? bytes - has : 0;

	if (missing + more == 0)
		return 0;
	if (!lg_budget_take_now(pager, missing + more)) {
		if (has > 0)
			lg_budget_give(pager, drop_memory(staging, bit));
		int error = lg_budget_take(pager, bytes + more, ahead);
		if (error != 0)
			return error;
	}
	staging->touched[bit] = lg_max(staging->touched[bit], bytes);
	return 0;
}

static bool take_huge(struct lg_staging *staging, unsigned *bit)
{
	if (!take_bit(&staging->idle_huge, bit))
		return false;
	*bit += LG_STAGING_SMALL;
	return true;
}

int lg_staging_take(struct lg_pager *pager, uint64_t bytes, uint64_t more, bool ahead,
		    void **buffer)
{
	struct lg_staging *staging = &pager->staging;
	unsigned bit;

	for (;;) {
		uint32_t returned = lg_load_acquire(&staging->returned);

		if ((bytes == staging->bytes && take_huge(staging, &bit)) ||
		    take_bit(&staging->idle, &bit))
			break;
		lg_add_relaxed(&staging->wanted, 1);
		lg_os_sleep_while(&staging->returned, returned, 1); /* the count may be seen late */
		lg_sub_relaxed(&staging->wanted, 1);
	}
	int error = charge(pager, bit, bytes, more, ahead);
	if (error != 0) {
		put_back(pager, bit);
		return error;
	}
	*buffer = staging->base + bit * staging->bytes;
	return 0;
}

unsigned lg_staging_place(const struct lg_pager *pager, const void *buffer)
{
	return (unsigned)((uint64_t)((const char *)buffer - pager->staging.base) /
			  pager->staging.bytes);
}

void lg_staging_give(struct lg_pager *pager, void *buffer)
{
	put_back(pager, lg_staging_place(pager, buffer));
}

uint64_t lg_staging_drop(struct lg_pager *pager)
{
	struct lg_staging *staging = &pager->staging;
	unsigned held[LG_STAGING_BUFFERS], count = 0, bit;
	uint64_t dropped = 0;

	while (take_bit(&staging->idle, &bit) || take_huge(staging, &bit)) {
		dropped += drop_memory(staging, bit);
		held[count++] = bit;
	}
	while (count > 0)
		put_back(pager, held[--count]);
	if (dropped > 0)
		lg_budget_give(pager, dropped);
	return dropped;
}

void *lg_nursery_take(struct lg_pager *pager)
{
	size_t huge = (size_t)1 << LG_PAGE_SHIFT_HUGE;
	unsigned bit;

	if (!take_bit(&pager->nursery.idle, &bit))
		return NULL;
	char *page = pager->nursery.base + bit * huge;
	if (lg_os_advise(page, huge, LG_OS_POPULATE) != 0) /* before 5.14 */
		for (size_t i = 0; i < huge; i += lg_os_page_bytes())
			((volatile char *)page)[i] = 0;
	return page;
}

void lg_nursery_give(struct lg_pager *pager, void *page)
{
	size_t huge = (size_t)1 << LG_PAGE_SHIFT_HUGE;

	/* Its page table, if nothing else, would keep the next page from being huge. */
	(void)lg_os_drop(page, huge);
	lg_or_release(&pager->nursery.idle,
		      (uint64_t)1 << (size_t)((char *)page - pager->nursery.base) / huge);
}

void lg_nursery_unlock(struct lg_pager *pager)
{
	(void)lg_os_munlock(pager->nursery.base, (size_t)LG_NURSERY_PAGES << LG_PAGE_SHIFT_HUGE);
}
