/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a store that does not come back holds up who needs its bytes, and nobody else: maps of other stores
 * are read, written, synced and closed, the statistics are there; and once it does come back all goes on,
 * with nothing lost.
 * Method: a store of the user's that holds its reads, then its writes, until it is told not to; a second
 * map over the same pager that goes through three times the budget meanwhile.
 * Oracle: contents of both; a deadline far beyond any wait that ends. That a thread waits is seen in the store,
 * not by the clock.
 */
#include "stress/claim.h"
#include "stress/clock.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <pthread.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static lg_pager *pager;
static struct shelf shelf;
static lg_map *hung, *other;
static char *held, *data;

static void await_held(unsigned calls)
{
	while (atomic_load(&shelf.held) < calls)
		clock_breathe();
}

static void *read_page(void *unused)
{
	(void)unused;
	CLAIM(held[MIB] == shelf_byte(MIB));
	return NULL;
}

static void *sync_hung(void *unused)
{
	(void)unused;
	CLAIM(lg_map_sync(hung, 0, 0) == 0);
	return NULL;
}

static void *close_hung(void *unused)
{
	(void)unused;
	CLAIM(lg_map_close(hung) == 0);
	return NULL;
}

static void go_through_other(char value)
{
	struct lg_pager_stats stats;

	for (size_t i = 0; i < 6 * MIB; i += 4096)
		data[i] = (char)(value + (char)(i >> 12));
	for (size_t i = 0; i < 6 * MIB; i += 4096)
		CLAIM(data[i] == (char)(value + (char)(i >> 12)));
	CLAIM(lg_map_sync(other, 0, 0) == 0);
	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	CLAIM(stats.resident <= stats.budget);
}

static void hold_a_read(void)
{
	pthread_t reader;

	atomic_store(&shelf.holds_reads, true);
	CLAIM(pthread_create(&reader, NULL, read_page, NULL) == 0);
	await_held(1);
	go_through_other(1);
	atomic_store(&shelf.holds_reads, false);
	CLAIM(pthread_join(reader, NULL) == 0);
}

static void hold_a_write(void)
{
	pthread_t syncer;

	memset(held, 'h', 64 << 10);
	atomic_store(&shelf.holds_writes, true);
	CLAIM(pthread_create(&syncer, NULL, sync_hung, NULL) == 0);
	await_held(1);
	go_through_other(2);
	atomic_store(&shelf.holds_writes, false);
	CLAIM(pthread_join(syncer, NULL) == 0);
	CLAIM(shelf.bytes[0] == 'h');
}

static void close_waits(void)
{
	pthread_t closer;

	memset(held, 'c', 64 << 10);
	atomic_store(&shelf.holds_writes, true);
	CLAIM(pthread_create(&closer, NULL, close_hung, NULL) == 0);
	await_held(1);
	go_through_other(3);
	CLAIM(atomic_load(&shelf.closes) == 0);
	CLAIM(lg_map_close(other) == 0);
	atomic_store(&shelf.holds_writes, false);
	CLAIM(pthread_join(closer, NULL) == 0);
	CLAIM(atomic_load(&shelf.closes) == 1);
	CLAIM(shelf.bytes[0] == 'c');
}

static void try_way(const char *options)
{
	pager = lg_pager_new(options);
	if (pager == NULL && errno == EPERM) {
		fprintf(stderr, "left out: %s: %s\n", options, lg_error());
		return;
	}
	CLAIM(pager != NULL);
	shelf_make(&shelf, 4 * MIB);
	hung = lg_map_store(pager, &shelf_ops, &shelf, 4 * MIB, NULL);
	other = lg_map_memory(pager, 6 * MIB, NULL);
	CLAIM(hung != NULL);
	CLAIM(other != NULL);
	held = lg_map_data(hung);
	data = lg_map_data(other);
	hold_a_read();
	hold_a_write();
	close_waits();
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	alarm((unsigned)clock_hang_seconds());
	try_way("memory:2M,page:16K,faults:inline,prefetch:off");
	try_way("memory:2M,page:16K,faults:inline,prefetch:off,without:move");
	try_way("memory:2M,page:16K,faults:threads,prefetch:off");
	return EXIT_SUCCESS;
}
