/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program that closes every descriptor it does not know, the library's among them, and whose
 * own files then get those numbers, keeps these files byte for byte, and regions go on working: old
 * ones with their bytes, new ones in new files.
 * Method: between allocations in many classes, note which descriptors are open, close_range(3, ~0),
 * then put an own file on each of those numbers and on the lowest free ones; then everything that
 * extends, reserves, zeroes or punches: new areas, advice, reclaim by the worker, trim, retiring.
 * Oracle: size and contents of each own file, descriptors still open and the same files; stamps.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { OWN_MAX = 180, OWN_BYTES = 1 << 18, REGIONS = 64, LOWEST = 8 };

static int open_numbers[OWN_MAX];
static unsigned open_count;

static struct own {
	int fd;
	ino_t inode;
} own[OWN_MAX];
static unsigned own_count;

static lg_region *regions[REGIONS];
static unsigned char pattern[OWN_BYTES];

static size_t size_of(unsigned i)
{
	return (size_t)1 << (12 + i % 13);
}

static void note_open(void)
{
	DIR *numbers = opendir("/proc/self/fd");
	struct dirent *entry;

	CLAIM(numbers != NULL);
	open_count = 0;
	while ((entry = readdir(numbers)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > STDERR_FILENO && fd != dirfd(numbers) && open_count < OWN_MAX)
			open_numbers[open_count++] = fd;
	}
	closedir(numbers);
}

static void keep_own(int fd)
{
	struct stat status;

	CLAIM(own_count < OWN_MAX);
	CLAIM(fstat(fd, &status) == 0);
	own[own_count++] = (struct own){ fd, status.st_ino };
}

static int make_own(void)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	CLAIM(fd >= 0);
	CLAIM(unlink(path) == 0);
	CLAIM(pwrite(fd, pattern, OWN_BYTES, 0) == OWN_BYTES);
	return fd;
}

/* An own file on every number the library had, and on the next ones it would get. */
static void take_the_numbers(void)
{
	for (unsigned i = 0; i < open_count; i++) {
		int fd = make_own();

		if (fd != open_numbers[i]) {
			CLAIM(dup2(fd, open_numbers[i]) == open_numbers[i]);
			close(fd);
		}
		keep_own(open_numbers[i]);
	}
	for (unsigned i = 0; i < LOWEST; i++)
		keep_own(make_own());
}

static void claim_own_untouched(void)
{
	static unsigned char now[OWN_BYTES];

	for (unsigned i = 0; i < own_count; i++) {
		struct stat status;

		CLAIM(fstat(own[i].fd, &status) == 0);
		CLAIM(status.st_ino == own[i].inode);
		CLAIM(status.st_size == OWN_BYTES);
		CLAIM(pread(own[i].fd, now, OWN_BYTES, 0) == OWN_BYTES);
		CLAIM(memcmp(now, pattern, OWN_BYTES) == 0);
	}
}

static void close_all(void)
{
	note_open();
	CLAIM(syscall(SYS_close_range, 3U, ~0U, 0U) == 0);
	own_count = 0;
	take_the_numbers();
	CLAIM(own_count > LOWEST || open_count == 0);
	claim_own_untouched();
}

static void allocate_and_check(uint64_t id)
{
	for (unsigned i = 0; i < REGIONS; i++) {
		regions[i] = id % 2 ? lg_region_new(size_of(i)) : lg_region_new_zeroed(size_of(i));
		CLAIM(regions[i] != NULL);
		if (id % 2 == 0)
			CLAIM(stamp_all_zero(lg_region_data(regions[i]), size_of(i)));
		stamp_write(lg_region_data(regions[i]), size_of(i), id + i);
	}
	claim_own_untouched();
}

static void advise_and_free(uint64_t id)
{
	struct lg_usage usage;

	for (unsigned i = 0; i < REGIONS; i++) {
		CLAIM(stamp_holds(lg_region_data(regions[i]), size_of(i), id + i));
		lg_region_advise(regions[i], 0, 0, LG_COLD);
		CLAIM(stamp_holds(lg_region_data(regions[i]), size_of(i), id + i));
		if (lg_region_advise(regions[i], 0, 0, LG_DEAD) == 0)
			stamp_write(lg_region_data(regions[i]), size_of(i), id);
	}
	claim_own_untouched();
	for (unsigned i = 0; i < REGIONS; i++)
		lg_region_free(regions[i]);
	lg_usage_read(&usage);
	claim_own_untouched();
}

static void live_through_closing(void *unused)
{
	(void)unused;
	allocate_and_check(1000);
	close_all();
	advise_and_free(1000);
	allocate_and_check(2001);
	CLAIM(lg_trim() == 0);
	claim_own_untouched();
	close_all();
	for (unsigned i = 0; i < REGIONS; i++)
		CLAIM(stamp_holds(lg_region_data(regions[i]), size_of(i), 2001 + i));
	advise_and_free(2001);
	CLAIM(lg_trim() == 0);
	close_all();
	for (uint64_t turn = 0; turn < 6; turn++) {
		allocate_and_check(turn);
		if (turn % 3 == 0)
			close_all();
		advise_and_free(turn);
		if (turn % 2 == 0)
			CLAIM(lg_trim() == 0);
	}
	claim_own_untouched();
	account_claim_nothing_lost();
	claim_own_untouched();
}

static void body(const struct round *round)
{
	struct rlimit limit = { 1024, 1024 };

	(void)round;
	for (unsigned i = 0; i < OWN_BYTES; i++)
		pattern[i] = (unsigned char)(i * 31 + i / 4096 + 1);
	/* Also what whoever started us left open, which may lie beyond the limits below. */
	if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0)
		SKIP("no close_range: %s", strerror(errno));
	child_claim("with the limit as it is", live_through_closing, NULL);
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		child_claim("with 1024 descriptors", live_through_closing, NULL);
	limit = (struct rlimit){ 200, 200 };
	CLAIM(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	child_claim("with 200 descriptors", live_through_closing, NULL);
}

static const struct round rounds[] = {
	{ "file", "backing:file,background:off" },
	{ "file-worker", "backing:file,interval:1ms,retire_delay:0" },
	{ "file-unreserved", "backing:file,reserve:off,interval:1ms,retire_delay:0" },
	{ "anon", "backing:anon,interval:1ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
