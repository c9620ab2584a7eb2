/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: an object that changes under a map with on_change:refetch is never seen in two versions at once: no page, and no
 * lg_map_read, has bytes of two, and no thread sees an older one after a newer; lg_map_changes tells. What cannot go on is an
 * error, and can be healed.
 * Oracle: bytes that follow from their place and version.
 */
#include "remote/bytes.h"
#include "remote/servers.h"
#include "stress/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { BYTES = 8 << 20, VERSIONS = 12, THREADS = 4, SOME = 300 << 10 };

static lg_pager *pager;

/* The object is of this version from now, for the server's ETag is of seconds and length. */
static void publish(unsigned version, size_t bytes)
{
	char path[300], other[300];
	struct timespec times[2] = { { .tv_sec = 1000 + version }, { .tv_sec = 1000 + version } };

	snprintf(path, sizeof(path), "%s/turning", server_value("WWW"));
	snprintf(other, sizeof(other), "%s/next", server_value("WWW"));
	bytes_make(other, bytes, version);
	CLAIM(utimensat(AT_FDCWD, other, times, 0) == 0);
	CLAIM(rename(other, path) == 0);
}

/* Which version these bytes are of: all of them of that one. Versions differ in some of any 64 bytes. */
static unsigned version_of(const char *data, size_t at, size_t bytes)
{
	for (unsigned version = 1; version <= VERSIONS; version++) {
		size_t same = 0;

		while (same < 64 && (unsigned char)data[same] == byte_at(at + same, version))
			same++;
		if (same < 64)
			continue;
		bytes_check(data, at, bytes, version);
		return version;
	}
	BROKEN("the bytes are of some version");
}

static void the_next_version_is_seen(const char *options)
{
	publish(1, BYTES);
	lg_map *map = server_map(pager, "PLAIN", "/turning", options);
	const char *data = lg_map_data(map);

	bytes_check(data + MIB, MIB, 256 * KIB, 1);
	publish(2, BYTES);
	bytes_check(data + MIB, MIB, 256 * KIB, 1); /* nobody asked for more */
	CLAIM(lg_map_changes(map) == 0);
	bytes_check(data + 5 * MIB, 5 * MIB, 64, 2);
	CLAIM(lg_map_changes(map) == 1);
	bytes_check(data, 0, BYTES, 2);
	CLAIM(lg_map_changes(map) == 1);
	CLAIM(lg_map_close(map) == 0);
}

static void another_length_is_an_error_that_heals(void)
{
	char buffer[64];

	publish(1, BYTES);
	lg_map *map = server_map(pager, "PLAIN", "/turning", "on_change:refetch,prefetch:off");
	const char *data = lg_map_data(map);

	bytes_check(data + MIB, MIB, 64, 1);
	publish(2, BYTES - 1);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 3 * MIB) == -ESTALE);
	CLAIM(strstr(lg_error(), "length") != NULL);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), MIB) == -ESTALE); /* what was here is gone */
	publish(3, BYTES);
	CLAIM(lg_map_retry(map) >= 1);
	bytes_check(data + MIB, MIB, 64, 3);
	bytes_check(data + 3 * MIB, 3 * MIB, 64, 3);
	CLAIM(lg_map_changes(map) == 1);
	CLAIM(lg_map_close(map) == 0);
}

static void pinned_pages_keep_their_version(void)
{
	char buffer[64];

	publish(1, BYTES);
	lg_map *map = server_map(pager, "PLAIN", "/turning", "on_change:refetch,prefetch:off");
	const char *data = lg_map_data(map);

	CLAIM(lg_map_pin(map, MIB, 64) == 0);
	publish(2, BYTES);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 3 * MIB) == -ESTALE);
	bytes_check(data + MIB, MIB, 64, 1);
	CLAIM(lg_map_unpin(map, MIB, 64) == 0);
	CLAIM(lg_map_retry(map) == 1);
	bytes_check(data + 3 * MIB, 3 * MIB, 64, 2);
	bytes_check(data + MIB, MIB, 64, 2);
	CLAIM(lg_map_close(map) == 0);
}

static lg_map *shared;

static void *read_on(void *argument)
{
	uint64_t state = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
	char *buffer = malloc(SOME);
	unsigned last = 0;

	while (last < VERSIONS) {
		uint64_t before = lg_map_changes(shared);
		state = state * 6364136223846793005 + 1442695040888963407;
		size_t at = (size_t)(state >> 20) % (BYTES - SOME);
		CLAIM(lg_map_read(shared, buffer, SOME, at) == SOME);
		unsigned seen = version_of(buffer, at, SOME);
		CLAIM(seen >= last);
		CLAIM(seen == last || last == 0 || lg_map_changes(shared) > 0);
		last = seen;
		/* By plain access: a page at a time is of one version, and two pages if nothing changed meanwhile. */
		const char *data = lg_map_data(shared);
		size_t page = at / (64 * KIB) * (64 * KIB);
		memcpy(buffer, data + page, 128 * KIB);
		if (lg_map_changes(shared) == before) {
			seen = version_of(buffer, page, 128 * KIB);
			CLAIM(seen >= last);
			last = seen;
		}
	}
	free(buffer);
	return NULL;
}

static void threads_see_one_version_at_a_time(const char *options)
{
	pthread_t threads[THREADS];
	struct lg_pager_stats stats;

	publish(1, BYTES);
	shared = server_map(pager, "PLAIN", "/turning", options);
	for (uintptr_t i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&threads[i], NULL, read_on, (void *)i) == 0);
	for (unsigned version = 2; version <= VERSIONS; version++) {
		/* Dropping is what makes them ask. */
		CLAIM(lg_map_advise(shared, 0, 0, LG_DEAD) == 0);
		publish(version, BYTES);
	}
	double end = clock_seconds() + 60;
	while (lg_map_changes(shared) == 0 && clock_seconds() < end)
		CLAIM(lg_map_advise(shared, 0, 0, LG_DEAD) == 0);
	/* Who waits for the last one may have all of an older one here. */
	for (int i = 0; i < THREADS; i++)
		while (pthread_tryjoin_np(threads[i], NULL) != 0)
			CLAIM(lg_map_advise(shared, 0, 0, LG_DEAD) == 0 && clock_seconds() < end);
	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	fprintf(stderr, "%llu changes, %llu reads\n", (unsigned long long)lg_map_changes(shared),
		(unsigned long long)stats.reads);
	CLAIM(lg_map_close(shared) == 0);
}

int main(int argc, char **argv)
{
	if (bytes_were_made(argc, argv))
		return 0;
	pager = lg_pager_new("memory:32M");
	CLAIM(pager != NULL);
	the_next_version_is_seen("on_change:refetch,prefetch:off");
	the_next_version_is_seen("on_change:refetch,page:4K,prefetch:off");
	another_length_is_an_error_that_heals();
	pinned_pages_keep_their_version();
	threads_see_one_version_at_a_time("on_change:refetch");
	server_refuses(pager, server_url("PLAIN", "/odd"), "on_change:maybe", EINVAL);
	CLAIM(lg_pager_free(pager) == 0);
	return 0;
}
