/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * stream: all of an object, cold, by one thread. bytes=64M delay=20 memory=64M order=forward|backward unit=64K stride=1
 * With a stride of 2 every second unit is read. With remote=curl the object is downloaded once.
 *
 * Timed: reading and adding up each word.
 *
 * value: MiB a second, over what a stride leaves out too. with_open: the same with the opening, whose ms are open.
 */
#include "remote/object.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"

#include <stdio.h>
#include <string.h>

enum { UNIT_MOST = 1 << 20 };

static struct server server;
static struct object object;

static void read_unit(size_t offset, size_t length)
{
	static uint64_t buffer[UNIT_MOST / 8];
	const void *bytes = object_look(&object, offset, length, buffer);

	if (server_sum_of(bytes, length) != server_sum(offset, length))
		result_fail("bytes from %zu on are not the object's", offset);
}

static void read_all(size_t unit, size_t stride, bool backward)
{
	size_t units = server.bytes / unit;

	for (size_t i = 0; i < units; i += stride)
		read_unit((backward ? units - 1 - i : i) * unit, unit);
}

void workload_stream(void)
{
	size_t unit = argument_size("unit", 64 << 10), stride = argument_size("stride", 1);
	bool backward = strcmp(argument_text("order", "forward"), "backward") == 0;
	double seconds, first, opening = 0;

	if (unit < 8 || unit > UNIT_MOST || UNIT_MOST % unit != 0 || stride == 0)
		result_fail("unit is a power of two up to 1M, stride at least 1");
	server_start(&server, argument_size("bytes", 64 << 20), argument_size("delay", 20));
	if (object_is("curl")) {
		object_download(&server, &seconds, &first);
	} else {
		object_prepare(&object, &server);
		uint64_t begin = clock_ns();
		object_open(&object);
		uint64_t opened = clock_ns();
		read_all(unit, stride, backward);
		seconds = (double)(clock_ns() - opened) / 1e9;
		opening = (double)(opened - begin) / 1e9;
		object_close(&object);
		object_end(&object);
	}
	server_end(&server);
	result_value("value", (double)server.bytes / (1 << 20) / seconds);
	if (opening > 0) {
		result_value("open", opening * 1e3);
		result_value("with_open", (double)server.bytes / (1 << 20) / (seconds + opening));
	}
}
