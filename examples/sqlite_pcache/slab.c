/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "slab.h"

#include <lgalloc/lgalloc.h>

enum { SLAB_BYTES_MAX = 1 << 20, SLAB_PAGES_FIRST = 16, HEAD_ALIGNMENT = 16 };

struct slab {
	lg_region *region;
	struct slab *room_next, *room_previous;
	struct slab *all_next, *all_previous;
	struct page *free;
	unsigned char *heads;
	unsigned count; /* pages it is cut into */
	unsigned cut;   /* heads made so far: a page that was never used is never touched */
	unsigned used;
};

static size_t round_up(size_t bytes)
{
	return (bytes + HEAD_ALIGNMENT - 1) / HEAD_ALIGNMENT * HEAD_ALIGNMENT;
}

void slabs_init(struct slabs *slabs, size_t page_bytes, size_t extra_bytes)
{
	*slabs = (struct slabs){
		.page_bytes = page_bytes,
		.head_bytes = round_up(round_up(sizeof(struct page)) + extra_bytes),
	};
}

static void enter_room(struct slabs *slabs, struct slab *slab)
{
	slab->room_previous = NULL;
	slab->room_next = slabs->with_room;
	if (slab->room_next != NULL)
		slab->room_next->room_previous = slab;
	slabs->with_room = slab;
}

static void leave_room(struct slabs *slabs, struct slab *slab)
{
	if (slab->room_previous != NULL)
		slab->room_previous->room_next = slab->room_next;
	else
		slabs->with_room = slab->room_next;
	if (slab->room_next != NULL)
		slab->room_next->room_previous = slab->room_previous;
}

static struct slab *make_slab(struct slabs *slabs)
{
	size_t wanted = SLAB_PAGES_FIRST * slabs->page_bytes;
	lg_region *region;

	while (wanted < SLAB_BYTES_MAX && 2 * wanted <= slabs->bytes)
		wanted *= 2;
	region = lg_region_new(wanted);
	if (region == NULL)
		return NULL;
	size_t bytes = lg_region_size(region);
	size_t count =
		(bytes - round_up(sizeof(struct slab))) / (slabs->page_bytes + slabs->head_bytes);
	unsigned char *data = lg_region_data(region);
	struct slab *slab = (void *)(data + count * slabs->page_bytes);
	*slab = (struct slab){
		.region = region,
		.all_next = slabs->all,
		.heads = (unsigned char *)slab + round_up(sizeof(*slab)),
		.count = (unsigned)count,
	};
	if (slab->all_next != NULL)
		slab->all_next->all_previous = slab;
	slabs->all = slab;
	slabs->bytes += bytes;
	enter_room(slabs, slab);
	return slab;
}

static void free_slab(struct slabs *slabs, struct slab *slab)
{
	leave_room(slabs, slab);
	if (slab->all_previous != NULL)
		slab->all_previous->all_next = slab->all_next;
	else
		slabs->all = slab->all_next;
	if (slab->all_next != NULL)
		slab->all_next->all_previous = slab->all_previous;
	slabs->bytes -= lg_region_size(slab->region);
	lg_region_free(slab->region);
}

static struct page *cut_page(const struct slabs *slabs, struct slab *slab)
{
	unsigned char *head = slab->heads + slab->cut * slabs->head_bytes;
	unsigned char *data = lg_region_data(slab->region);
	struct page *page = (void *)head;

	*page = (struct page){
		.shown = { .pBuf = data + slab->cut * slabs->page_bytes,
			   .pExtra = head + round_up(sizeof(struct page)) },
		.slab = slab,
	};
	slab->cut++;
	return page;
}

struct page *slabs_take(struct slabs *slabs)
{
	struct slab *slab = slabs->with_room;
	struct page *page;

	if (slab == NULL && (slab = make_slab(slabs)) == NULL)
		return NULL;
	page = slab->free;
	if (page != NULL)
		slab->free = page->next;
	else
		page = cut_page(slabs, slab);
	page->gone = false;
	if (++slab->used == slab->count)
		leave_room(slabs, slab);
	return page;
}

void slabs_put(struct slabs *slabs, struct page *page)
{
	struct slab *slab = page->slab;

	if (slab->used-- == slab->count)
		enter_room(slabs, slab);
	if (slab->used == 0) {
		free_slab(slabs, slab);
		return;
	}
	page->key = 0; /* SQLite counts from 1: this is how a free page is told */
	page->next = slab->free;
	slab->free = page;
}

static struct page *page_at(const struct slabs *slabs, const struct slab *slab, unsigned index)
{
	return (void *)(slab->heads + index * slabs->head_bytes);
}

/* A failure leaves the memory where it is, which is no error of anybody's. */
static void trim_slab(const struct slabs *slabs, struct slab *slab)
{
	unsigned end;

	for (unsigned start = 0; start < slab->cut; start = end + 1) {
		bool something = false;

		for (end = start; end < slab->cut; end++) {
			struct page *page = page_at(slabs, slab, end);

			if (page->key != 0)
				break;
			something |= !page->gone;
			page->gone = true;
		}
		if (something)
			lg_region_advise(slab->region, start * slabs->page_bytes,
					 (end - start) * slabs->page_bytes, LG_DEAD);
	}
}

void slabs_trim(struct slabs *slabs)
{
	for (struct slab *slab = slabs->with_room; slab != NULL; slab = slab->room_next)
		trim_slab(slabs, slab);
}

void slabs_clear(struct slabs *slabs)
{
	struct slab *next;

	for (struct slab *slab = slabs->all; slab != NULL; slab = next) {
		next = slab->all_next;
		lg_region_free(slab->region);
	}
	slabs->with_room = slabs->all = NULL;
	slabs->bytes = 0;
}
