/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * stream: STREAM (McCalpin 1995) over three arrays that fit into memory by half. bytes=1020M threads=2
 * rounds=2
 *
 * Timed: in each round copy (c = a), scale (b = 3 c), add (c = a + b) and triad (a = b + 3 c), each by all threads,
 * each with a part of its own. The results are compared.
 *
 * value: MB/s of all four, counted as STREAM does: what is read and what is written. copy, scale, add, triad: of each,
 * the best round.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <math.h>

enum { THREADS_MAX = 64, KERNELS = 4 };

struct part {
	pthread_t thread;
	size_t from;
	size_t to;
};

static const struct {
	const char *name;
	unsigned arrays; /* that it moves */
} kernels[KERNELS] = { { "copy", 2 }, { "scale", 2 }, { "add", 3 }, { "triad", 3 } };

static struct space space;
static struct part parts[THREADS_MAX];
static double *a, *b, *c;
static int kernel;

static void *work(void *context)
{
	const struct part *part = context;

	for (size_t i = part->from; i < part->to; i++) {
		switch (kernel) {
		case 0:
			c[i] = a[i];
			break;
		case 1:
			b[i] = 3 * c[i];
			break;
		case 2:
			c[i] = a[i] + b[i];
			break;
		default:
			a[i] = b[i] + 3 * c[i];
			break;
		}
	}
	return NULL;
}

static double start_of(size_t i)
{
	return (double)(i % 1021);
}

void workload_stream(void)
{
	size_t threads = argument_size("threads", 2);
	size_t rounds = argument_size("rounds", 2);
	struct lg_pager_stats before;
	double best[KERNELS] = { 0 };
	double bytes = 0;

	space_open(&space, argument_size("bytes", (size_t)1020 << 20));
	if (threads == 0 || threads > THREADS_MAX || rounds == 0)
		result_fail("threads must be 1 to %d, rounds at least 1", THREADS_MAX);
	size_t count = space.bytes / 3 / sizeof(double);
	a = (double *)(void *)space.data;
	b = a + count;
	c = b + count;
	for (size_t i = 0; i < count; i++)
		a[i] = start_of(i);
	for (size_t i = 0; i < 2 * count; i++)
		b[i] = 0.5;
	space_stats(&space, &before);
	uint64_t begin = clock_ns();
	for (size_t step = 0; step < rounds * KERNELS; step++) {
		uint64_t from = clock_ns();
		kernel = (int)(step % KERNELS);
		for (size_t i = 0; i < threads; i++) {
			parts[i].from = count * i / threads;
			parts[i].to = count * (i + 1) / threads;
			thread_start(&parts[i].thread, work, &parts[i]);
		}
		for (size_t i = 0; i < threads; i++)
			pthread_join(parts[i].thread, NULL);
		double moved = (double)(kernels[kernel].arrays * count * sizeof(double));
		bytes += moved;
		best[kernel] = fmax(best[kernel], moved * 1000 / (double)(clock_ns() - from));
	}
	result_value("value", bytes * 1000 / (double)(clock_ns() - begin));
	for (int i = 0; i < KERNELS; i++)
		result_value(kernels[i].name, best[i]);
	space_report(&space, &before);
	for (size_t i = 0; i < count; i++) {
		double of_a = start_of(i), of_b = 0, of_c = 0;
		for (size_t round = 0; round < rounds; round++) {
			of_c = of_a;
			of_b = 3 * of_c;
			of_c = of_a + of_b;
			of_a = of_b + 3 * of_c;
		}
		/* Small whole numbers: exact. */
		if (a[i] < of_a || a[i] > of_a || b[i] < of_b || b[i] > of_b || c[i] < of_c ||
		    c[i] > of_c)
			result_fail("element %zu is not what it must be", i);
	}
	space_close(&space);
}
