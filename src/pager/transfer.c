/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/transfer.h"

#include "os/clock.h"
#include "pager/map.h"
#include "pager/probe.h"

#include <errno.h>
#include <string.h>

enum {
	READ_TRIES = 4,
	BACKOFF_US = 1000,
	BACKOFF_GROWTH = 8,
	PARTS = 16,
	LAGGING_MS = 50,
	HANGING_MS = 1000,
	ALONE_MS = 2 * HANGING_MS,
	RETRY_LEAST_MS = 100,
	RETRY_MOST_MS = 1000,
	RETRY_TIMES = 4, /* what it took to fail */
};

static int transfer_read(struct lg_map *map, uint64_t page, uint64_t count, void *buffer,
			 bool ahead)
{
	const struct lg_store_calls *calls = map->store->calls;
	struct lg_pager *pager = map->pager;
	uint64_t wanted = lg_map_stored_bytes(map, page, count), all = count << map->shift;
	struct iovec part = { .iov_base = buffer, .iov_len = wanted };
	unsigned pause = BACKOFF_US;
	int error;

	for (int try = 0;; try++) {
		uint64_t start = lg_os_now_ns();

		lg_add_relaxed(&pager->reading, 1);
		lg_add_relaxed(&pager->demands, !ahead);
		error = (ahead && calls->read_ahead != NULL ? calls->read_ahead : calls->read)(
			map->store, &part, 1, page << map->shift);
		lg_sub_relaxed(&pager->demands, !ahead);
		lg_sub_relaxed(&pager->reading, 1);
		lg_pager_count(pager, reads, 1);
		if (error == 0) {
			lg_times_note(&pager->read_ns, lg_os_now_ns() - start);
			lg_pager_count(pager, bytes_read, wanted);
			break;
		}
		lg_pager_count(pager, read_errors, 1);
		if (try == READ_TRIES - 1 || map->store->is_remote ||
		    lg_load_relaxed(&map->closing))
			return error;
		lg_os_sleep_us(pause);
		pause *= BACKOFF_GROWTH;
	}
	/* The last page: the store's units may hold what is not the map's. */
	uint64_t mine = lg_min(all, map->bytes - (page << map->shift));
	memset((char *)buffer + mine, 0, all - mine);
	return 0;
}

int lg_transfer_read(struct lg_map *map, uint64_t page, uint64_t count, void *buffer)
{
	return transfer_read(map, page, count, buffer, false);
}

int lg_transfer_read_ahead(struct lg_map *map, uint64_t page, uint64_t count, void *buffer)
{
	return transfer_read(map, page, count, buffer, true);
}

/* As few parts as the places allow; at most `most`. How many pages they are. */
static uint64_t gather(const struct lg_write *write, uint64_t done, struct iovec *parts, int most,
		       int *count)
{
	uint64_t bytes = lg_map_page_bytes(write->map), pages = 0;

	*count = 0;
	for (uint64_t i = done; i < write->count; i++, pages++) {
		struct iovec *last = &parts[*count - 1];
		char *place = (char *)(uintptr_t)write->places[i];

		if (*count > 0 && (char *)last->iov_base + last->iov_len == place) {
			last->iov_len += bytes;
			continue;
		}
		if (*count == most)
			break;
		parts[(*count)++] = (struct iovec){ .iov_base = place, .iov_len = bytes };
	}
	uint64_t all = pages * bytes,
		 mine = lg_map_stored_bytes(write->map, write->page + done, pages);
	parts[*count - 1].iov_len -= all - mine; /* less than a page */
	return pages;
}

/* A call of a map's store. */
struct writing {
	struct lg_map *map;
	uint64_t start; /* ns */
	uint32_t asked; /* the pager's, before it */
	bool doubtful;  /* the store refused the last time */
};

static struct writing begin_write(struct lg_map *map)
{
	struct lg_pager *pager = map->pager;
	struct writing writing = { .map = map,
				   .start = lg_os_now_ns(),
				   .asked = lg_load_relaxed(&pager->asked),
				   .doubtful = lg_load_relaxed(&map->refuses) };

	lg_add_relaxed(&pager->writing, 1);
	lg_add_relaxed(&pager->doubtful, writing.doubtful);
	if (lg_load_relaxed(&map->writes) == 0)
		lg_store_relaxed(&map->wrote_at, lg_os_now_ms());
	lg_add_release(&map->writes, 1);
	return writing;
}

static void end_write(const struct writing *writing)
{
	struct lg_map *map = writing->map;

	lg_store_relaxed(&map->wrote_at, lg_os_now_ms());
	lg_sub_release(&map->writes, 1);
	lg_sub_relaxed(&map->pager->doubtful, writing->doubtful);
	lg_sub_relaxed(&map->pager->writing, 1);
}

/*
 * Who tries again is kept from stores that work for a part of the time only, however long this one takes to fail; but it is not left
 * alone for long, as it may work again.
 */
static void put_off(const struct writing *writing)
{
	enum { NS_OF_MS = 1000000 };
	uint64_t pause = (lg_os_now_ns() - writing->start) / NS_OF_MS * RETRY_TIMES;

	lg_store_relaxed(&writing->map->retry_at,
			 lg_os_now_ms() + lg_min(lg_max(pause, RETRY_LEAST_MS), RETRY_MOST_MS));
}

/* What came of some of its pages. */
static void note_written(const struct writing *writing, uint64_t page, uint64_t count, int error)
{
	struct lg_map *map = writing->map;
	struct lg_pager *pager = map->pager;
	uint64_t bytes = lg_map_stored_bytes(map, page, count);

	lg_pager_count(pager, writes, 1);
	if (error != 0)
		put_off(writing);
	lg_map_set_refuses(map, error != 0);
	lg_store_relaxed(&map->tried, writing->asked);
	if (error != 0) {
		lg_store_relaxed(&pager->write_failure, error);
		lg_pager_count(pager, write_errors, 1);
		lg_map_note_error(map, error);
		return;
	}
	lg_times_note(&pager->write_ns, lg_os_now_ns() - writing->start);
	lg_pager_count(pager, bytes_written, bytes);
	lg_probe_write(lg_map_page_at(map, page), bytes);
}

/* While there are any under way. */
static bool no_write_ended_for(const struct lg_map *map, uint64_t ms)
{
	if (lg_load_acquire(&map->writes) == 0)
		return false;
	uint64_t at = lg_load_relaxed(&map->wrote_at), now = lg_os_now_ms();

	return now > at && now - at > ms;
}

bool lg_transfer_hangs(const struct lg_map *map)
{
	return no_write_ended_for(map, HANGING_MS);
}

bool lg_transfer_lags(const struct lg_map *map)
{
	return no_write_ended_for(map, LAGGING_MS);
}

bool lg_transfer_goes_on(const struct lg_pager *pager)
{
	return lg_load_relaxed(&pager->writing) > 0 &&
	       lg_os_now_ms() <= lg_load_relaxed(&pager->settled_at) + LAGGING_MS;
}

bool lg_transfer_is_awaited(const struct lg_map *map)
{
	return lg_load_relaxed(&map->refuses) && !lg_transfer_hangs(map) &&
	       lg_load_relaxed(&map->tried) != lg_load_relaxed(&map->pager->asked);
}

bool lg_transfer_rests(const struct lg_map *map)
{
	return lg_transfer_hangs(map) ||
	       (lg_load_relaxed(&map->refuses) && !lg_transfer_is_awaited(map) &&
		lg_os_now_ms() < lg_load_relaxed(&map->retry_at));
}

bool lg_transfer_begin_try(struct lg_pager *pager, uint64_t *until)
{
	uint64_t now = lg_os_now_ms(), before = lg_load_relaxed(&pager->retry_until);

	*until = now + ALONE_MS;
	return now >= before && lg_cas_relaxed(&pager->retry_until, &before, *until);
}

void lg_transfer_end_try(struct lg_pager *pager, uint64_t until)
{
	(void)lg_cas_release(&pager->retry_until, &until, (uint64_t)0);
}

int lg_transfer_write(const struct lg_write *write)
{
	struct lg_map *map = write->map;
	struct iovec parts[PARTS];
	int count, error = 0;

	for (uint64_t done = 0, pages; error == 0 && done < write->count; done += pages) {
		pages = gather(write, done, parts, PARTS, &count);
		struct writing writing = begin_write(map);
		error = map->store->calls->write(map->store, parts, count,
						 (write->page + done) << map->shift);
		end_write(&writing);
		note_written(&writing, write->page + done, pages, error);
	}
	return error;
}

void lg_transfer_discard(struct lg_map *map, uint64_t page, uint64_t count)
{
	struct writing writing = begin_write(map);

	(void)map->store->calls->discard(map->store, page << map->shift, count << map->shift);
	end_write(&writing);
}

void lg_transfer_write_many(struct lg_os_io_queue *queue, struct lg_write *writes, unsigned count)
{
	struct lg_os_io_request requests[LG_STORE_MANY];
	struct iovec parts[LG_TRANSFER_PAGES]; /* a page is one at most */
	struct lg_map *map = writes[0].map;
	int used = 0;

	for (unsigned i = 0; i < count; i++) {
		requests[i] = (struct lg_os_io_request){ .parts = &parts[used],
							 .offset = writes[i].page << map->shift };
		(void)gather(&writes[i], 0, &parts[used], LG_STORE_PARTS, &requests[i].count);
		used += requests[i].count;
	}
	struct writing writing = begin_write(map);
	map->store->calls->write_many(map->store, queue, requests, count);
	end_write(&writing);
	for (unsigned i = 0; i < count; i++) {
		writes[i].error = requests[i].error;
		note_written(&writing, writes[i].page, writes[i].count, writes[i].error);
	}
}
