/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * disk: what the disk gives by itself, for what no pager can pass. bytes=1G reads=5000
 *
 * Timed: writing a file from the front by O_DIRECT, 2 MiB at a time (write); writing it once more (value: the
 * blocks are there then, as a spill's are); reading it likewise (read), MB/s; and reading 4 KiB at random, one
 * at a time (random, us, the median). The file is where the pager's spill is, and goes in the end.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 2 << 20, PAGE_BYTES = 4096 };

static char *buffer;
static int fd;

static void fail(const char *what)
{
	if (errno == EINVAL)
		result_skip("no O_DIRECT: %s", what);
	result_fail("%s: %s", what, strerror(errno));
}

static double write_all(size_t bytes)
{
	uint64_t begin = clock_ns();

	for (size_t offset = 0; offset < bytes; offset += PIECE_BYTES)
		if (pwrite(fd, buffer, PIECE_BYTES, (off_t)offset) != PIECE_BYTES)
			fail("pwrite");
	if (fdatasync(fd) != 0)
		fail("fdatasync");
	return (double)bytes * 1000 / (double)(clock_ns() - begin);
}

static double read_all(size_t bytes)
{
	uint64_t begin = clock_ns();

	for (size_t offset = 0; offset < bytes; offset += PIECE_BYTES)
		if (pread(fd, buffer, PIECE_BYTES, (off_t)offset) != PIECE_BYTES)
			fail("pread");
	return (double)bytes * 1000 / (double)(clock_ns() - begin);
}

static double random_us(size_t bytes, size_t reads)
{
	static struct histogram latencies;
	uint64_t random = 88172645463325252u;

	for (size_t i = 0; i < reads; i++) {
		uint64_t page = random_below(&random, bytes / PAGE_BYTES), begin = clock_ns();

		if (pread(fd, buffer, PAGE_BYTES, (off_t)(page * PAGE_BYTES)) != PAGE_BYTES)
			fail("pread");
		histogram_add(&latencies, clock_ns() - begin);
	}
	return histogram_share(&latencies, 0.5) / 1000;
}

void workload_disk(void)
{
	size_t bytes = argument_size("bytes", (size_t)1 << 30) / PIECE_BYTES * PIECE_BYTES;
	char path[SPACE_PATH_BYTES];

	space_path(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600);
	if (fd == -1)
		fail(path);
	unlink(path);
	buffer = aligned_alloc(PIECE_BYTES, PIECE_BYTES);
	if (buffer == NULL)
		result_fail("no memory");
	memset(buffer, 1, PIECE_BYTES);
	result_value("write", write_all(bytes));
	result_value("value", write_all(bytes));
	result_value("read", read_all(bytes));
	result_value("random", random_us(bytes, argument_size("reads", 5000)));
	free(buffer);
	close(fd);
}
