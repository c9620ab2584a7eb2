/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/spill.h"

#include "unit/store/bytes.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static char *memory;
static struct lg_store *store;

static int open_here(void **state)
{
	(void)state;
	store = NULL;
	memory = bytes_new(BYTES);
	return lg_spill_open(".", BYTES, true, &store);
}

static int close_here(void **state)
{
	(void)state;
	store->calls->close(store);
	munmap(memory, BYTES);
	return 0;
}

static uint64_t free_here(void)
{
	struct statvfs system;

	assert_int_equal(statvfs(".", &system), 0);
	return (uint64_t)system.f_bfree * system.f_frsize;
}

static void store_says_what_it_is(void **state)
{
	(void)state;
	assert_true(store->bytes == BYTES);
	assert_int_equal(store->alignment, BLOCK);
	assert_false(store->readonly);
	assert_true(store->signal_safe);
	assert_true(store->begins_zero);
	assert_false(store->is_slow);
	assert_string_equal(store->calls->name, "spill");
}

static void pages_come_back_as_they_went(void **state)
{
	(void)state;
	assert_int_equal(bytes_read(store, memory, BYTES, 0), 0);
	bytes_claim_zero(memory, BYTES);
	for (unsigned seed = 0; seed < 3; seed++) {
		for (size_t at = 0; at < BYTES; at += 16 * BLOCK) {
			bytes_fill(memory, 16 * BLOCK, at, seed);
			assert_int_equal(bytes_write(store, memory, 16 * BLOCK, at), 0);
		}
		assert_int_equal(store->calls->flush(store), 0);
		assert_int_equal(bytes_read(store, memory, BYTES, 0), 0);
		bytes_claim(memory, BYTES, 0, seed);
	}
}

/* The last page of a map is longer than what the map has of it. */
static void odd_length_is_whole_blocks(void **state)
{
	struct lg_store *odd = NULL;

	(void)state;
	assert_int_equal(lg_spill_open(".", 5 * BLOCK + 1, true, &odd), 0);
	assert_true(odd->bytes == 5 * BLOCK + 1);
	bytes_fill(memory, 16 * BLOCK, 0, 1);
	assert_int_equal(bytes_write(odd, memory, 16 * BLOCK, 0), 0);
	assert_int_equal(bytes_read(odd, memory, 16 * BLOCK, 0), 0);
	bytes_claim(memory, 5 * BLOCK + 1, 0, 1);
	bytes_claim_zero(memory + 6 * BLOCK, 10 * BLOCK);
	assert_int_equal(bytes_write(odd, memory, BLOCK, 16 * BLOCK), 0);
	assert_int_equal(bytes_read(odd, memory, BLOCK, 16 * BLOCK), 0);
	bytes_claim_zero(memory, BLOCK);
	odd->calls->close(odd);
}

static void reserved_space_stays_and_lazy_space_goes_with_the_bytes(void **state)
{
	struct lg_store *lazy = NULL;

	(void)state;
	bytes_fill(memory, BYTES, 0, 2);
	assert_int_equal(lg_spill_open(".", BYTES, false, &lazy), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct lg_store *one = i == 0 ? store : lazy;

		assert_int_equal(bytes_write(one, memory, BYTES, 0), 0);
		int error = one->calls->discard(one, BLOCK, BYTES / 2);
		assert_true(error == 0 || error == -EOPNOTSUPP);
		assert_int_equal(one->calls->discard(one, BYTES, BLOCK), 0);
	}
	assert_int_equal(bytes_read(lazy, memory, BYTES, 0), 0);
	bytes_claim(memory, BLOCK, 0, 2);
	assert_int_equal(memory[BLOCK], 0);
	lazy->calls->close(lazy);
}

static void disk_that_is_too_small_is_said_at_once(void **state)
{
	struct lg_store *other = NULL;
	uint64_t more = (free_here() + ((uint64_t)1 << 30)) & ~(uint64_t)(BLOCK - 1);
	char number[32];

	(void)state;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)more);
	int error = lg_spill_open(".", more, true, &other);
	assert_true(error == -ENOSPC || error == -EFBIG);
	assert_non_null(strstr(lg_error(), number));
	assert_null(other);
	error = lg_spill_open(".", more, false, &other);
	if (error == 0)
		other->calls->close(other);
}

static void memory_is_no_place_to_spill(void **state)
{
	struct lg_store *other = NULL;

	(void)state;
	if (access("/dev/shm", W_OK) != 0)
		skip();
	int error = lg_spill_open("/dev/shm", BYTES, false, &other);
	if (error == 0) { /* here it is on a disk */
		other->calls->close(other);
		skip();
	}
	assert_int_equal(error, -EOPNOTSUPP);
	assert_non_null(strstr(lg_error(), "/dev/shm"));
	assert_non_null(strstr(lg_error(), "memory"));
}

static void bad_directories_and_lengths_are_an_errno_in_words(void **state)
{
	struct lg_store *other = NULL;

	(void)state;
	assert_int_equal(lg_spill_open("./there/is/none", BYTES, true, &other), -ENOENT);
	assert_non_null(strstr(lg_error(), "./there/is/none"));
	assert_int_equal(lg_spill_open("/proc/self/status", BYTES, true, &other), -ENOTDIR);
	assert_int_equal(lg_spill_open(".", 0, true, &other), -EINVAL);
	assert_int_equal(lg_spill_open(".", UINT64_MAX, true, &other), -EFBIG);
	assert_null(other);
}

/* Another directory would not help. */
static void want_of_descriptors_is_not_blamed_on_the_directory(void **state)
{
	struct lg_store *other = NULL;
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int error = lg_spill_open(".", BYTES, true, &other);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(error, -EMFILE);
	assert_null(other);
	assert_non_null(strstr(lg_error(), "see ulimit -n (EMFILE)"));
	assert_null(strstr(lg_error(), "choose another"));
}

/* TMPDIR and the option choose, as for regions. */
static void usual_directory_is_that_of_regions(void **state)
{
	struct lg_store *other = NULL;

	(void)state;
	assert_int_equal(setenv("TMPDIR", "./no/such/place", 1), 0);
	assert_int_equal(lg_spill_open(NULL, BYTES, true, &other), -ENOENT);
	assert_non_null(strstr(lg_error(), "./no/such/place"));
	assert_int_equal(lg_configure("dir:."), 0);
	assert_int_equal(lg_spill_open("", BYTES, true, &other), 0);
	other->calls->close(other);
	assert_int_equal(lg_configure("dir:"), 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_here, close_here)
	const struct CMUnitTest tests[] = {
		TEST(store_says_what_it_is),
		TEST(pages_come_back_as_they_went),
		TEST(odd_length_is_whole_blocks),
		TEST(reserved_space_stays_and_lazy_space_goes_with_the_bytes),
		TEST(disk_that_is_too_small_is_said_at_once),
		TEST(memory_is_no_place_to_spill),
		TEST(bad_directories_and_lengths_are_an_errno_in_words),
		TEST(want_of_descriptors_is_not_blamed_on_the_directory),
		TEST(usual_directory_is_that_of_regions),
	};

	return UNIT_RUN(tests);
}
