/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * sequential: all of a space from the front, again and again. bytes=1G cycles=0
 *
 * Timed, one after the other: the first writing of every byte (write); reading every word once from the
 * front, nothing of it in memory (read); then `cycles` times more, without emptying memory: the cyclic
 * scan, the worst case of every replacement in the order of use (cycle). MB/s each.
 *
 * value: the last of them that was wanted: cycle, or read. Every word that is read is compared, which is in
 * the time.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

static struct space space;

static double mb_per_second(uint64_t begin, size_t times)
{
	return (double)space.bytes * (double)times * 1000 / (double)(clock_ns() - begin);
}

void workload_sequential(void)
{
	size_t cycles = argument_size("cycles", 0);
	struct lg_pager_stats before;

	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	space_stats(&space, &before);
	uint64_t begin = clock_ns();
	space_write(&space, 0, space.bytes);
	result_value("write", mb_per_second(begin, 1));

	space_cold(&space);
	begin = clock_ns();
	space_check(&space, 0, space.bytes);
	double read = mb_per_second(begin, 1);
	result_value("read", read);
	if (cycles == 0)
		result_value("value", read);

	/* The first time round only brings the policy's order about. */
	if (cycles > 0)
		space_check(&space, 0, space.bytes);
	begin = clock_ns();
	for (size_t i = 0; i < cycles; i++)
		space_check(&space, 0, space.bytes);
	if (cycles > 0)
		result_value("value", mb_per_second(begin, cycles));
	space_report(&space, &before);
	space_close(&space);
}
