/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/volume.h"

#include "heap/peer.h"
#include "workload/clock.h"
#include "workload/result.h"

#include <errno.h>
#include <fcntl.h>
#include <lgalloc/lgalloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { SETTLE_MS = 5, SETTLE_ROUNDS = 2000, SECTOR = 512 };

static void open_heap(struct volume *volume, const char *path)
{
	volume->heap = lg_heap_open(path, peer_options("create:on"));
	if (volume->heap == NULL)
		result_fail("%s", lg_error());
	volume->data = lg_heap_alloc(volume->heap, volume->bytes);
	if (volume->data == NULL ||
	    lg_heap_root_set(volume->heap, "data", lg_heap_ref(volume->heap, volume->data)) != 0)
		result_fail("%s", lg_error());
}

static void open_shared(struct volume *volume, const char *path)
{
	volume->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (volume->fd < 0 || posix_fallocate(volume->fd, 0, (off_t)volume->bytes) != 0)
		result_skip("%s: %s", path, strerror(errno));
	void *data = mmap(NULL, volume->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, volume->fd, 0);
	if (data == MAP_FAILED)
		result_skip("mmap: %s", strerror(errno));
	volume->data = data;
}

void volume_open(struct volume *volume, size_t bytes)
{
	char path[PATH_MAX];

	*volume = (struct volume){ .bytes = bytes, .fd = -1 };
	peer_path(path, "volume");
	if (peer_is("lgalloc"))
		open_heap(volume, path);
	else if (peer_is("msync"))
		open_shared(volume, path);
	else
		result_skip("only heap=lgalloc and heap=msync commit pages");
	struct stat status;
	if (stat(path, &status) == 0)
		volume->device = status.st_dev;
	unlink(path);
	memset(volume->data, 1, bytes);
	volume_commit(volume);
	volume_settle(volume);
}

void volume_close(struct volume *volume)
{
	if (volume->heap != NULL) {
		(void)lg_heap_close(volume->heap);
		return;
	}
	munmap(volume->data, volume->bytes);
	close(volume->fd);
}

void volume_commit(struct volume *volume)
{
	if (volume->heap != NULL && lg_heap_commit(volume->heap) != 0)
		result_fail("commit: %s", lg_error());
	if (volume->heap == NULL && msync(volume->data, volume->bytes, MS_SYNC) != 0)
		result_fail("msync: %s", strerror(errno));
}

void volume_settle(struct volume *volume)
{
	struct lg_heap_stats stats;

	if (volume->heap == NULL)
		return;
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		if (lg_heap_stats_read(volume->heap, &stats) != 0)
			result_fail("%s", lg_error());
		if (stats.journal_used == 0)
			return;
		clock_rest(SETTLE_MS * 1000000);
	}
	result_fail("the journal does not get empty");
}

double volume_written_mib(const struct volume *volume)
{
	unsigned long long sectors;
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(volume->device),
		 minor(volume->device));
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return (double)NAN;
	if (fscanf(file, "%*u %*u %*u %*u %*u %*u %llu", &sectors) != 1)
		sectors = 0;
	fclose(file);
	return (double)sectors * SECTOR / (1 << 20);
}
