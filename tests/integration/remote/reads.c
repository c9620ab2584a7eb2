/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a map of a remote object has its bytes, whatever its length, over http and https, in order, backwards, at
 * random and from many threads; and what the server cannot do is said.
 * Oracle: bytes that follow from their place; what the server counted.
 */
#include "remote/bytes.h"
#include "remote/servers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define MIB ((size_t)1 << 20)

enum { BIG = 64 << 20, ODD = 1000003, THREADS = 16 };

static lg_pager *pager;

static void every_length_is_right(void)
{
	static const struct {
		const char *path;
		size_t bytes;
	} objects[] = { { "/odd", ODD }, { "/one", 1 }, { "/empty", 0 } };
	char end[16];

	for (size_t i = 0; i < 3; i++) {
		lg_map *map = server_map(pager, "PLAIN", objects[i].path, NULL);
		const char *data = lg_map_data(map);
		size_t bytes = objects[i].bytes;

		CLAIM(lg_map_size(map) == bytes);
		bytes_check(data, 0, bytes, 0);
		CLAIM(data[bytes] == 0);
		CLAIM(lg_map_read(map, end, sizeof(end), bytes) == 0);
		CLAIM(lg_map_close(map) == 0);
	}
}

static void read_both_ways(const char *server, const char *options)
{
	for (int way = 0; way < 2; way++) {
		lg_map *map = server_map(pager, server, "/big", options);
		const char *data = lg_map_data(map);

		CLAIM(lg_map_size(map) == BIG);
		for (size_t i = 0; i < BIG; i += MIB) {
			size_t at = way == 0 ? i : BIG - MIB - i;

			bytes_check(data + at, at, MIB, 0);
		}
		CLAIM(lg_map_close(map) == 0);
	}
}

/* What is read ahead has room beside what is read, also where pages cannot be moved. */
static void any_budget_does(void)
{
	static const char *const budgets[] = { "memory:1M", "memory:8M,policy:lifo",
					       "memory:4M,without:move", "memory:8M,without:move",
					       "memory:16M,without:move" };
	static const char *const options[] = { NULL, "page:4K" };
	struct lg_pager_stats stats;

	for (size_t i = 0; i < 2 * sizeof(budgets) / sizeof(budgets[0]); i++) {
		lg_pager *small = lg_pager_new(budgets[i / 2]);
		CLAIM(small != NULL);
		lg_map *map = server_map(small, "PLAIN", "/big", options[i % 2]);
		const char *data = lg_map_data(map);

		for (size_t at = 0; at < 12 * MIB; at += MIB / 4)
			bytes_check(data + at, at, MIB / 4, 0);
		for (size_t at = 12 * MIB; at > 0; at -= MIB / 4)
			bytes_check(data + at - MIB / 4, at - MIB / 4, MIB / 4, 0);
		CLAIM(lg_pager_stats_read(small, &stats) == 0);
		CLAIM(stats.peak <= stats.budget);
		CLAIM(lg_map_close(map) == 0);
		CLAIM(lg_pager_free(small) == 0);
	}
}

/* How many there are for one touch in each `step` bytes, forward or backward. */
static unsigned count_requests(size_t step, bool backward, char *log, size_t capacity)
{
	unsigned count = 0;

	server_faults("[]");
	lg_map *map = server_map(pager, "FAULTY", "/big", NULL);
	const char *data = lg_map_data(map);
	for (size_t i = 0; i + step <= BIG; i += step) {
		size_t at = backward ? BIG - step - i : i;

		bytes_check(data + at, at, 16, 0);
	}
	CLAIM(lg_map_close(map) == 0);
	server_log(log, capacity);
	for (const char *at = log; (at = strstr(at, "\"method\"")) != NULL; at++)
		count++;
	fprintf(stderr, "%u requests for each %zu KiB of 64 MiB, %s\n", count, step >> 10,
		backward ? "backward" : "forward");
	return count;
}

static void scans_need_few_requests(void)
{
	static char log[1 << 20];

	for (int way = 0; way < 2; way++) {
		CLAIM(count_requests(64 << 10, way == 1, log, sizeof(log)) <= 100);
		/* Every second block, and every third. */
		CLAIM(count_requests(512 << 10, way == 1, log, sizeof(log)) <= 64);
		CLAIM(count_requests(768 << 10, way == 1, log, sizeof(log)) <= 64);
	}
	CLAIM(strstr(log, "\"accept-encoding\":\"identity\"") != NULL);
	CLAIM(strstr(log, "\"if-match\"") != NULL);
}

static const char *shared;

static void *read_at_random(void *argument)
{
	uint64_t state = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;

	for (int i = 0; i < 100; i++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		size_t at = (size_t)(state >> 20) % (BIG - 4096);

		bytes_check(shared + at, at, 4096, 0);
	}
	return NULL;
}

static void threads_read_at_once(void)
{
	lg_map *map = server_map(pager, "PLAIN", "/big", NULL);
	pthread_t threads[THREADS];

	shared = lg_map_data(map);
	for (uintptr_t i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&threads[i], NULL, read_at_random, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CLAIM(lg_map_close(map) == 0);
}

static void what_a_scan_costs_is_counted(void)
{
	static char log[1 << 20];
	struct lg_remote_stats before, after;
	const size_t bytes = 32 * MIB;
	unsigned count = 0;

	server_faults("[]");
	CLAIM(lg_remote_stats_read(&before) == 0);
	lg_map *map = server_map(pager, "FAULTY", "/big", NULL);
	bytes_check(lg_map_data(map), 0, bytes, 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_remote_stats_read(&after) == 0);
	server_log(log, sizeof(log));
	for (const char *at = log; (at = strstr(at, "\"method\"")) != NULL; at++)
		count++;
	CLAIM(after.gets - before.gets >=
	      count); /* those that closing ended may not have got there */
	CLAIM(after.bytes_fetched - before.bytes_fetched >= bytes);
	CLAIM(after.bytes_used - before.bytes_used >= bytes - 4 * MIB);
	CLAIM(after.bytes_used - before.bytes_used <= after.bytes_fetched - before.bytes_fetched);
	CLAIM(after.prefetch_hits > before.prefetch_hits);
	CLAIM(after.retries + after.hedges + after.failures ==
	      before.retries + before.hedges + before.failures);
}

static void what_a_server_cannot_do_is_said(void)
{
	char buffer[100];
	lg_map *map = server_map(pager, "PLAIN", "/whole/odd", NULL);

	bytes_check(lg_map_data(map), 0, ODD, 0);
	CLAIM(lg_map_close(map) == 0);
	server_refuses(pager, server_url("PLAIN", "/whole/big"), NULL, EOPNOTSUPP);
	server_refuses(pager, server_url("PLAIN", "/bare/odd"), NULL, EOPNOTSUPP);
	map = server_map(pager, "PLAIN", "/bare/odd", "unpinned:on");
	bytes_check(lg_map_data(map), 0, ODD, 0);
	CLAIM(lg_map_close(map) == 0);
	map = server_map(pager, "PLAIN", "/dated/odd", NULL);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), ODD - 50) == 50);
	bytes_check(buffer, ODD - 50, 50, 0);
	CLAIM(lg_map_close(map) == 0);
}

static void what_is_not_there_or_not_allowed_is_said(void)
{
	server_refuses(pager, server_url("PLAIN", "/nothing"), NULL, ENOENT);
	server_refuses(pager, server_url("PLAIN", "/denied"), NULL, EACCES);
	server_refuses(pager, "http://127.0.0.1:1/x", "deadline:3s", ECONNREFUSED);
	server_refuses(pager, "ftp://127.0.0.1/", NULL, EINVAL);
	server_refuses(pager, "http://a:b@127.0.0.1/", NULL, EINVAL);
	server_refuses(pager, server_url("PLAIN", "/odd"), "deadline:1", EINVAL);
	server_refuses(pager, "s3://bucket/key", NULL, EACCES);
}

static void redirects_are_followed_within_reason(void)
{
	lg_map *map = server_map(pager, "PLAIN", "/moved/odd", NULL);
	char ca[300];

	bytes_check(lg_map_data(map), 0, ODD, 0);
	CLAIM(lg_map_close(map) == 0);
	server_refuses(pager, server_url("PLAIN", "/loop"), NULL, ELOOP);
	snprintf(ca, sizeof(ca), "ca_file:%s", server_value("CA"));
	server_refuses(pager, server_url("SECURE", "/down/odd"), ca, EACCES);
}

static void certificates_are_verified(void)
{
	char ca[300];

	snprintf(ca, sizeof(ca), "ca_file:%s", server_value("CA"));
	read_both_ways("SECURE", ca);
	server_refuses(pager, server_url("SECURE", "/odd"), NULL, EPROTO);
	server_refuses(pager, server_url("MISNAMED", "/odd"), ca, EPROTO);
	server_refuses(pager, server_url("SECURE", "/odd"), "ca_file:/nonexistent", EPROTO);
}

/* Three connections have a bit flipped each, which TLS finds; what it had vouched for before is good. */
static void flipped_bits_are_found_by_https(void)
{
	struct lg_remote_stats before, after;
	char ca[300];

	snprintf(ca, sizeof(ca), "ca_file:%s", server_value("CA"));
	CLAIM(lg_remote_stats_read(&before) == 0);
	lg_map *map = server_map(pager, "FLIPPED", "/big", ca);
	bytes_check(lg_map_data(map), 0, BIG, 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_remote_stats_read(&after) == 0);
	CLAIM(after.retries > before.retries);
}

/* Offsets beyond 32 bits, and a length that no memory has. */
static void the_far_end_of_a_large_object_is_near(void)
{
	const size_t bytes = ((size_t)5 << 30) + 77;
	struct lg_remote_stats before, after;
	char path[300], end[100];

	snprintf(path, sizeof(path), "%s/far", server_value("WWW"));
	FILE *file = fopen(path, "w");
	CLAIM(file != NULL && fseek(file, (long)bytes - 100, SEEK_SET) == 0);
	for (size_t i = bytes - 100; i < bytes; i++)
		putc(byte_at(i, 0), file);
	CLAIM(fclose(file) == 0);
	CLAIM(lg_remote_stats_read(&before) == 0);
	lg_map *map = server_map(pager, "PLAIN", "/far", NULL);
	const char *data = lg_map_data(map);
	CLAIM(lg_map_size(map) == bytes);
	bytes_check(data + bytes - 100, bytes - 100, 100, 0);
	CLAIM(data[bytes] == 0);
	CLAIM(data[0] == 0 && data[((size_t)4 << 30) + 1] == 0);
	CLAIM(lg_map_read(map, end, sizeof(end), bytes - 50) == 50);
	bytes_check(end, bytes - 50, 50, 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(unlink(path) == 0);
	CLAIM(lg_remote_stats_read(&after) == 0);
	CLAIM(after.bytes_fetched - before.bytes_fetched < 16 * MIB);
}

static void child_of_fork_has_its_own(void)
{
	lg_map *map = server_map(pager, "PLAIN", "/odd", NULL);
	volatile const char *data = lg_map_data(map);
	int status;

	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		lg_pager *own = lg_pager_new("memory:8M");
		struct lg_remote_stats none;

		CLAIM(lg_remote_stats_read(&none) == 0);
		CLAIM(none.gets == 0 && none.fault_ns_sum == 0);
		lg_map *mine = server_map(own, "PLAIN", "/odd", NULL);

		bytes_check(lg_map_data(mine), 0, ODD, 0);
		CLAIM(lg_map_close(mine) == 0);
		CLAIM(lg_map_url(pager, server_url("PLAIN", "/odd"), NULL) == NULL &&
		      errno == ECHILD);
		signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
		(void)data[0];
		_exit(1);
	}
	CLAIM(waitpid(child, &status, 0) == child);
	CLAIM(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	bytes_check((const char *)data, 0, ODD, 0);
	CLAIM(lg_map_close(map) == 0);
}

/* Children have copies of the connections' descriptors, and leave them alone. */
static void forks_amid_downloads_disturb_none(void)
{
	lg_map *map = server_map(pager, "PLAIN", "/big", NULL);
	const char *data = lg_map_data(map);
	pid_t children[8];
	int status;

	for (int i = 0; i < 8; i++) {
		size_t at = (size_t)i * 8 * MIB;

		CLAIM(lg_map_advise(map, at, 8 * MIB, LG_WILLNEED) == 0);
		fflush(NULL);
		children[i] = fork();
		if (children[i] == 0)
			_exit(0);
		CLAIM(children[i] > 0);
		bytes_check(data + at, at, 8 * MIB, 0);
	}
	for (int i = 0; i < 8; i++) {
		CLAIM(waitpid(children[i], &status, 0) == children[i]);
		CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	CLAIM(lg_map_close(map) == 0);
}

int main(int argc, char **argv)
{
	if (bytes_were_made(argc, argv))
		return 0;
	pager = lg_pager_new("memory:32M");
	CLAIM(pager != NULL);
	every_length_is_right();
	read_both_ways("PLAIN", NULL);
	read_both_ways("PLAIN", "page:4K");
	any_budget_does();
	scans_need_few_requests();
	threads_read_at_once();
	what_a_scan_costs_is_counted();
	what_a_server_cannot_do_is_said();
	what_is_not_there_or_not_allowed_is_said();
	redirects_are_followed_within_reason();
	certificates_are_verified();
	flipped_bits_are_found_by_https();
	the_far_end_of_a_large_object_is_near();
	if (!SANITIZED_THREAD) {
		child_of_fork_has_its_own();
		forks_amid_downloads_disturb_none();
	}
	CLAIM(lg_pager_free(pager) == 0);
	return 0;
}
