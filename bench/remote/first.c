/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * first: the first byte of an object that was never asked for. bytes=64M delay=20 memory=64M
 *
 * Timed: opening it and reading the first byte; with remote=curl what curl says of its first byte.
 *
 * value: ms.
 */
#include "remote/object.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

static struct server server;
static struct object object;

void workload_first(void)
{
	double seconds, first;

	server_start(&server, argument_size("bytes", 64 << 20), argument_size("delay", 20));
	if (object_is("curl")) {
		object_download(&server, &seconds, &first);
	} else {
		uint64_t word;

		object_prepare(&object, &server);
		uint64_t begin = clock_ns();
		object_open(&object);
		const void *bytes = object_look(&object, 0, sizeof(word), &word);
		if (server_sum_of(bytes, sizeof(word)) != server_sum(0, sizeof(word)))
			result_fail("the first bytes are not the object's");
		first = (double)(clock_ns() - begin) / 1e9;
		object_close(&object);
		object_end(&object);
	}
	server_end(&server);
	result_value("value", first * 1e3);
}
