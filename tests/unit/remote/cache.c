/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/cache.h"

#include "unit/unit.h"

#include <lgalloc/lgalloc.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = LG_CACHE_BLOCK, THREADS = 4, ROUNDS = 60 };

static char home[] = "/tmp/lgalloc-cache-XXXXXX", directory[64];
static unsigned char block[BYTES], back[BYTES];

static struct lg_key key_of(unsigned number)
{
	struct lg_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.bytes, &number, sizeof(number));
	return key;
}

static void path_of(unsigned number, char *path)
{
	struct lg_key key = key_of(number);
	char name[LG_SHA256_HEX_BYTES];

	lg_sha256_hex(key.bytes, name);
	sprintf(path, "%s/%s", directory, name);
}

static void put(struct lg_cache *cache, unsigned number, uint32_t bytes)
{
	struct lg_key key = key_of(number);

	memset(block, (int)number + 1, bytes);
	lg_cache_put(cache, &key, block, bytes);
}

static bool get(struct lg_cache *cache, unsigned number, uint32_t bytes)
{
	struct lg_key key = key_of(number);

	memset(block, (int)number + 1, bytes);
	if (!lg_cache_get(cache, &key, back, bytes))
		return false;
	assert_memory_equal(back, block, bytes);
	return true;
}

static struct lg_cache *open_cache(uint64_t most)
{
	struct lg_cache *cache;

	assert_int_equal(lg_cache_open(directory, most, &cache), 0);
	return cache;
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

/* Bytes of all files; and what holds of each. */
static uint64_t total(void)
{
	DIR *names = opendir(directory);
	const struct dirent *one;
	uint64_t bytes = 0;
	struct stat status;

	assert_non_null(names);
	while ((one = readdir(names)) != NULL) {
		assert_int_equal(fstatat(dirfd(names), one->d_name, &status, AT_SYMLINK_NOFOLLOW),
				 0);
		if (!S_ISREG(status.st_mode))
			continue;
		assert_int_equal(status.st_mode & 0777, 0600);
		bytes += (uint64_t)status.st_size;
	}
	closedir(names);
	return bytes;
}

static void blocks_come_back(void **state)
{
	struct lg_cache *cache = open_cache(64 << 20), *other = open_cache(64 << 20);

	(void)state;
	assert_false(get(cache, 1, BYTES));
	put(cache, 1, BYTES);
	put(cache, 2, 77);
	assert_true(get(cache, 1, BYTES));
	assert_true(get(other, 2, 77));
	assert_false(get(other, 3, 77));
	lg_cache_close(cache);
	lg_cache_close(other);
	cache = open_cache(64 << 20);
	assert_true(get(cache, 1, BYTES));
	lg_cache_close(cache);
	assert_in_range(total(), BYTES + 77, BYTES + 77 + 1000);
	remove_all();
}

/* Whatever became of a file, it is a miss, and the block can be put there again. */
static void what_is_not_as_it_was_is_a_miss(void **state)
{
	static const char *const commands[] = {
		"printf x | dd of=%s bs=1 seek=5000 conv=notrunc 2>/dev/null",
		"printf x | dd of=%s bs=1 seek=0 conv=notrunc 2>/dev/null",
		"printf x | dd of=%s bs=1 seek=20 conv=notrunc 2>/dev/null",
		"truncate -s 100000 %s",
		"truncate -s 0 %s",
		"printf x >>%s",
		"rm %s",
		"rm %1$s && ln -s /etc/passwd %1$s",
		"mv %1$s %1$s.x && ln -s %1$s.x %1$s",
		"rm %1$s && mkfifo -m 600 %1$s",
		"chmod 620 %s",
	};
	struct lg_cache *cache = open_cache(64 << 20);
	char path[200], command[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		put(cache, 1, BYTES);
		assert_true(get(cache, 1, BYTES));
		path_of(1, path);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof(command), commands[i], path);
#pragma GCC diagnostic pop
		assert_int_equal(system(command), 0);
		assert_false(get(cache, 1, BYTES));
		put(cache, 1, BYTES);
		assert_true(get(cache, 1, BYTES));
	}
	/* A directory in its place stays, and harms nobody. */
	path_of(1, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(get(cache, 1, BYTES));
	put(cache, 1, BYTES);
	assert_false(get(cache, 1, BYTES));
	/* Another block's file is not this one's. */
	struct lg_cache *fresh = open_cache(64 << 20);
	char other[200];
	put(fresh, 2, BYTES);
	path_of(2, path);
	path_of(3, other);
	assert_int_equal(rename(path, other), 0);
	assert_false(get(fresh, 3, BYTES));
	remove_all();
	assert_false(get(fresh, 2, BYTES)); /* the whole directory is gone */
	put(fresh, 2, BYTES);
	lg_cache_close(fresh);
	lg_cache_close(cache);
}

static void the_bound_holds_and_the_oldest_go(void **state)
{
	enum { MOST = 4 << 20, BLOCKS = MOST / (BYTES + 4096) };
	struct lg_cache *cache = open_cache(MOST);
	struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char path[200];

	(void)state;
	for (unsigned i = 0; i < BLOCKS; i++) {
		put(cache, i, BYTES);
		assert_in_range(total(), 0, MOST);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_true(get(cache, i, BYTES));
	for (unsigned i = 0; i < BLOCKS; i++) {
		path_of(i, path);
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	}
	assert_true(get(cache, 3, BYTES)); /* used: young again */
	put(cache, 100, BYTES);
	assert_in_range(total(), 0, MOST);
	assert_true(get(cache, 100, BYTES));
	assert_true(get(cache, 3, BYTES));
	unsigned left = 0;
	for (unsigned i = 0; i < BLOCKS; i++)
		left += get(cache, i, BYTES);
	assert_in_range(left, BLOCKS * 3 / 4, BLOCKS - 1);
	for (unsigned i = 0; i < 200; i++)
		put(cache, i, 5000 + i);
	assert_in_range(total(), 0, MOST);
	lg_cache_close(cache);
	/* A smaller bound is kept as well, from the next block on. */
	cache = open_cache(MOST / 2);
	put(cache, 300, BYTES);
	assert_in_range(total(), 0, MOST / 2);
	assert_true(get(cache, 300, BYTES));
	lg_cache_close(cache);
	remove_all();
}

static void a_ledger_that_is_wrong_is_made_anew(void **state)
{
	static const char *const commands[] = { "rm %s/lgalloc-ledger",
						"printf garbage >%s/lgalloc-ledger",
						"truncate -s 0 %s/lgalloc-ledger" };
	enum { MOST = 2 << 20 };
	char command[200];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct lg_cache *cache = open_cache(MOST);

		for (unsigned j = 0; j < 6; j++)
			put(cache, j, BYTES);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(command, sizeof(command), commands[i], directory);
#pragma GCC diagnostic pop
		assert_int_equal(system(command), 0);
		for (unsigned j = 10; j < 20; j++) {
			put(cache, j, BYTES);
			assert_true(get(cache, j, BYTES));
			assert_in_range(total(), 0, MOST);
		}
		lg_cache_close(cache);
		remove_all();
	}
	/* A link in its place is not written through. */
	struct lg_cache *cache = open_cache(MOST);
	snprintf(command, sizeof(command), "ln -s %s/victim %s/lgalloc-ledger", home, directory);
	assert_int_equal(system(command), 0);
	put(cache, 1, BYTES);
	assert_false(get(cache, 1, BYTES));
	snprintf(command, sizeof(command), "%s/victim", home);
	assert_int_equal(access(command, F_OK), -1);
	lg_cache_close(cache);
	remove_all();
}

static void unfinished_files_are_removed_when_they_are_old(void **state)
{
	enum { MOST = 2 << 20 };
	struct lg_cache *cache = open_cache(MOST);
	char command[400], path[100];

	(void)state;
	snprintf(
		command, sizeof(command),
		"cd %s && for i in 1 2 3; do head -c 200000 /dev/zero >lgalloc-new-1-$i; chmod 600 lgalloc-new-1-$i; done;"
		"touch -d '1 hour ago' lgalloc-new-1-1 lgalloc-new-1-2; touch -d '1 hour ago' mine new-year.jpg lgalloc-new-; chmod 600 mine new-year.jpg lgalloc-new-",
		directory);
	assert_int_equal(system(command), 0);
	for (unsigned i = 0; i < 20; i++)
		put(cache, i, BYTES);
	assert_in_range(total(), 0, MOST);
	for (int i = 1; i <= 3; i++) {
		snprintf(path, sizeof(path), "%s/lgalloc-new-1-%d", directory, i);
		assert_int_equal(access(path, F_OK), i == 3 ? 0 : -1);
	}
	static const char *const others[] = { "mine", "new-year.jpg", "lgalloc-new-" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, others[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	lg_cache_close(cache);
	remove_all();
}

static void *use(void *argument)
{
	struct lg_cache *cache = open_cache(3 << 20);
	unsigned hits = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned number = (i * 7 + (unsigned)(uintptr_t)argument) % 20;
		struct lg_key key = key_of(number);
		unsigned char *mine = malloc(BYTES);

		memset(mine, (int)number + 1, BYTES);
		lg_cache_put(cache, &key, mine, BYTES);
		if (lg_cache_get(cache, &key, mine, BYTES)) {
			hits++;
			for (unsigned j = 0; j < BYTES; j += 997)
				assert_int_equal(mine[j], number + 1);
		}
		free(mine);
	}
	lg_cache_close(cache);
	return (void *)(uintptr_t)hits;
}

static void many_use_it_at_once(void **state)
{
	pthread_t threads[THREADS];
	uintptr_t hits = 0;
	void *one;

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &one);
		hits += (uintptr_t)one;
	}
	assert_in_range(hits, THREADS * ROUNDS / 4, THREADS * ROUNDS);
	assert_in_range(total(), 0, 3 << 20);
	remove_all();
}

static void refuses(const char *path, int error)
{
	struct lg_cache *cache;

	assert_int_equal(lg_cache_open(path, 1 << 20, &cache), -error);
	assert_non_null(strstr(lg_error(), path));
}

static void a_directory_that_is_not_ours_is_refused(void **state)
{
	char path[100], link[100];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/file", home);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	refuses(path, ENOTDIR);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/none/below", home);
	refuses(path, ENOENT);
	snprintf(path, sizeof(path), "%s/real", home);
	snprintf(link, sizeof(link), "%s/link", home);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(symlink(path, link), 0);
	refuses(link, ENOTDIR);
	assert_int_equal(chmod(path, 0770), 0);
	refuses(path, EACCES);
	assert_int_equal(chmod(path, 0702), 0);
	refuses(path, EACCES);
	assert_int_equal(chmod(path, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 4711, (gid_t)-1), 0);
		refuses(path, EACCES);
	}
	unlink(link);
	rmdir(path);
}

static void what_cannot_be_written_is_not_kept(void **state)
{
	struct lg_cache *cache = open_cache(1 << 20);
	struct rlimit limit, small = { 1000, 1000 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(cache, 1, BYTES); /* and no SIGXFSZ */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(get(cache, 1, BYTES));
	put(cache, 1, BYTES);
	assert_true(get(cache, 1, BYTES));
	lg_cache_close(cache);
	cache = open_cache(100000);
	put(cache, 2, BYTES); /* more than all */
	assert_false(get(cache, 2, BYTES));
	lg_cache_close(cache);
	remove_all();
}

static int make_home(void **state)
{
	(void)state;
	if (mkdtemp(home) == NULL)
		return -1;
	snprintf(directory, sizeof(directory), "%s/cache", home);
	return 0;
}

static int remove_home(void **state)
{
	(void)state;
	return rmdir(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_come_back),
		cmocka_unit_test(what_is_not_as_it_was_is_a_miss),
		cmocka_unit_test(the_bound_holds_and_the_oldest_go),
		cmocka_unit_test(a_ledger_that_is_wrong_is_made_anew),
		cmocka_unit_test(unfinished_files_are_removed_when_they_are_old),
		cmocka_unit_test(many_use_it_at_once),
		cmocka_unit_test(a_directory_that_is_not_ours_is_refused),
		cmocka_unit_test(what_cannot_be_written_is_not_kept),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
