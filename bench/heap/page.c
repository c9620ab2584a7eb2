/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * page: one random page of a volume changed and made durable, in turn with what the system needs for that at least:
 * pwrite of a page into another file of the same size, and fdatasync. bytes=16M count=300
 * With heap=lmdb: a transaction that puts one value of 64 bytes under a random key, in a database of that size.
 *
 * Timed: each of the two, and the clock.
 *
 * value: us, the median. mean: us. raw: us of pwrite and fdatasync, the median. over: the one by the other.
 */
#include "heap/peer.h"
#include "heap/transaction.h"
#include "heap/volume.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/median.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static struct volume volume;
static struct histogram latencies;
static uint64_t seed = 1;

static int open_raw(size_t bytes)
{
	static char piece[PIECE];
	char path[PATH_MAX];

	peer_path(path, "raw");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		result_skip("%s: %s", path, strerror(errno));
	unlink(path);
	for (size_t done = 0; done < bytes; done += PIECE)
		if (pwrite(fd, piece, PIECE, (off_t)done) != PIECE)
			result_skip("%s: %s", path, strerror(errno));
	if (fsync(fd) != 0)
		result_skip("%s: %s", path, strerror(errno));
	return fd;
}

static double raw_us(int fd, size_t bytes)
{
	static char page[VOLUME_PAGE];
	size_t at = random_below(&seed, bytes / VOLUME_PAGE) * VOLUME_PAGE;
	uint64_t begin = clock_ns();

	page[0]++;
	if (pwrite(fd, page, VOLUME_PAGE, (off_t)at) != VOLUME_PAGE || fdatasync(fd) != 0)
		result_fail("pwrite and fdatasync: %s", strerror(errno));
	return (double)(clock_ns() - begin) / 1e3;
}

static double ours_us(size_t pages, bool database)
{
	size_t page = random_below(&seed, pages);
	uint64_t begin = clock_ns();

	if (database) {
		transaction_put(page, random_next(&seed));
	} else {
		volume_change(&volume, page, begin);
		volume_commit(&volume);
	}
	uint64_t took = clock_ns() - begin;
	histogram_add(&latencies, took);
	return (double)took / 1e3;
}

void workload_page(void)
{
	size_t bytes = argument_size("bytes", (size_t)16 << 20);
	size_t count = argument_size("count", 300), pages = bytes / VOLUME_PAGE;
	double *ours = calloc(count, sizeof(*ours)), *raw = calloc(count, sizeof(*raw)), sum = 0;
	bool database = peer_is("lmdb");

	if (count == 0 || bytes < PIECE || ours == NULL || raw == NULL)
		result_fail("count must be at least 1, bytes at least %d", PIECE);
	if (database)
		transaction_open(bytes);
	else
		volume_open(&volume, bytes);
	int fd = open_raw(bytes);
	ours_us(pages, database); /* what only the first one does */
	for (size_t i = 0; i < count; i++) {
		raw[i] = raw_us(fd, bytes);
		ours[i] = ours_us(pages, database);
		sum += ours[i];
	}
	double median = median_of(ours, count), least = median_of(raw, count);
	result_value("value", median);
	result_value("mean", sum / (double)count);
	result_value("raw", least);
	result_value("over", median / least);
	histogram_report(&latencies);
	if (database)
		transaction_close();
	else
		volume_close(&volume);
	close(fd);
}
