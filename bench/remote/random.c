/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * random: 4 KiB here and there in an object, each in a 256 KiB where nothing was read before. bytes=64M delay=20
 * memory=64M count=60 threads=16 each=10
 *
 * Timed: by one thread, each of `count` reads; then, of the object opened again, `each` reads of each of `threads`.
 *
 * value: ms, the median of one thread's, whose latencies stand beside it. one, all: reads a second. scale: all by one.
 */
#include "workload/random.h"
#include "remote/object.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdio.h>

enum { PIECE = 256 << 10, READ = 4096, PIECES_MOST = 4096, THREADS_MOST = 64 };

static struct server server;
static struct object object;
static struct histogram latencies;
static size_t order[PIECES_MOST];
static size_t each;

static void shuffle(size_t pieces)
{
	uint64_t seed = 1;

	for (size_t i = 0; i < pieces; i++) {
		size_t other = random_below(&seed, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
}

static void read_one(size_t piece)
{
	uint64_t buffer[READ / 8];
	size_t offset = piece * PIECE + piece * READ % PIECE;
	const void *bytes = object_look(&object, offset, READ, buffer);

	if (server_sum_of(bytes, READ) != server_sum(offset, READ))
		result_fail("bytes from %zu on are not the object's", offset);
}

static void *read_share(void *first)
{
	for (size_t i = 0; i < each; i++)
		read_one(((const size_t *)first)[i]);
	return NULL;
}

static double one_thread(size_t count)
{
	uint64_t begin = clock_ns();

	for (size_t i = 0; i < count; i++) {
		uint64_t before = clock_ns();

		read_one(order[i]);
		histogram_add(&latencies, clock_ns() - before);
	}
	return (double)count / ((double)(clock_ns() - begin) / 1e9);
}

static double all_threads(size_t threads)
{
	pthread_t handles[THREADS_MOST];
	uint64_t begin = clock_ns();

	for (size_t i = 0; i < threads; i++)
		thread_start(&handles[i], read_share, &order[i * each]);
	for (size_t i = 0; i < threads; i++)
		pthread_join(handles[i], NULL);
	return (double)(threads * each) / ((double)(clock_ns() - begin) / 1e9);
}

void workload_random(void)
{
	size_t bytes = argument_size("bytes", 64 << 20), count = argument_size("count", 60),
	       threads = argument_size("threads", 16), pieces = bytes / PIECE;

	each = argument_size("each", 10);
	if (count == 0 || threads == 0 || threads > THREADS_MOST || pieces > PIECES_MOST ||
	    count > pieces || threads * each > pieces)
		result_fail("the object has not so many pieces, or there are too many threads");
	shuffle(pieces);
	server_start(&server, bytes, argument_size("delay", 20));
	object_prepare(&object, &server);
	object_open(&object);
	object_expect_chance(&object);
	double one = one_thread(count);
	object_close(&object);
	object_end(&object);
	server_end(&server);

	server_start(&server, bytes, argument_size("delay", 20)); /* nobody has anything of it */
	object_prepare(&object, &server);
	object_open(&object);
	object_expect_chance(&object);
	double all = all_threads(threads);
	object_close(&object);
	object_end(&object);
	server_end(&server);

	result_value("value", histogram_share(&latencies, 0.5) / 1e6);
	histogram_report(&latencies);
	result_value("one", one);
	result_value("all", all);
	result_value("scale", all / one);
}
