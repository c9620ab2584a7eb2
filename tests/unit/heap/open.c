/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/format.h"
#include "unit/heap/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void options_are_checked(void **state)
{
	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	heap_refused("crate:on", EINVAL, "unknown");
	heap_refused("create", EINVAL, "no value");
	heap_refused("create:maybe", EINVAL, "'maybe' is not off or on");
	heap_refused("reserve:1K", EINVAL, "'1K' is not a size from 256M to 16T");
	heap_refused("reserve:17T", EINVAL, "'17T' is not a size");
	heap_refused("mode:fast", EINVAL, "'fast' is not atomic");
	heap_refused("create:on,readonly:on", EINVAL, "exclude");
	errno = 0;
	assert_null(lg_heap_open(NULL, NULL));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(lg_heap_open("no/such/place", "create:on"));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(lg_heap_open("no-such-heap", NULL));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(lg_heap_open(".", NULL));
	assert_int_not_equal(errno, 0);
}

static void a_second_opening_is_ebusy(void **state)
{
	(void)state;
	heap_refused(NULL, EBUSY, "open");
	heap_refused("readonly:on", EBUSY, "open");
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), -EBUSY);
	assert_int_equal(lg_heap_close(heap), 0);
	heap = lg_heap_open(heap_path, "readonly:on,reserve:1G");
	lg_heap *second = lg_heap_open(heap_path, "readonly:on,reserve:1G");
	assert_non_null(second);
	assert_int_equal(lg_heap_close(second), 0);
	heap_refused(NULL, EBUSY, "open");
}

static void an_empty_file_becomes_a_heap_only_with_create(void **state)
{
	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(truncate(heap_path, 0), 0);
	heap_refused(NULL, EINVAL, "no heap");
	heap = lg_heap_open(heap_path, "create:on,reserve:1G,journal:64K");
	assert_non_null(heap);
	assert_int_equal(lg_heap_commit(heap), 0);
}

static void readonly_changes_nothing(void **state)
{
	struct stat before, after;

	(void)state;
	char *text = heap_keep_text();
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(stat(heap_path, &before), 0);
	heap = lg_heap_open(heap_path, "readonly:on,reserve:1G");
	assert_non_null(heap);
	text = lg_heap_at(heap, lg_heap_root_get(heap, "text"));
	assert_string_equal(text, "text");
	assert_true(lg_heap_usable_size(heap, text) >= 10);
	errno = 0;
	assert_null(lg_heap_alloc(heap, 10));
	assert_int_equal(errno, EROFS);
	assert_int_equal(lg_heap_free(heap, text), -EROFS);
	assert_int_equal(lg_heap_root_set(heap, "text", 0), -EROFS);
	assert_int_equal(lg_heap_commit(heap), -EROFS);
	assert_int_equal(lg_heap_rollback(heap), -EROFS);
	lg_heap_begin(heap);
	lg_heap_end(heap);
	assert_int_equal(stat(heap_path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

/* A clean heap is not written by an open and a close. */
static void opening_writes_nothing(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(stat(heap_path, &before), 0);
	heap = lg_heap_open(heap_path, "reserve:1G");
	assert_non_null(heap);
	assert_int_equal(lg_heap_root_get(heap, "none"), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	assert_int_equal(stat(heap_path, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void flip(off_t offset, unsigned char bits)
{
	int file = open(heap_path, O_RDWR | O_CLOEXEC);
	unsigned char byte;

	assert_true(file >= 0);
	assert_int_equal(pread(file, &byte, 1, offset), 1);
	byte ^= bits;
	assert_int_equal(pwrite(file, &byte, 1, offset), 1);
	close(file);
}

static void unclosed_heap_with_data(void)
{
	int status;

	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	pid_t child = fork();
	if (child == 0) {
		heap = lg_heap_open(heap_path, "reserve:1G");
		char *object = lg_heap_alloc(heap, 200000);
		memset(object, 7, 200000);
		lg_heap_root_set(heap, "object", lg_heap_ref(heap, object));
		if (lg_heap_commit(heap) == 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static int object_of(lg_heap *opened)
{
	assert_non_null(opened);
	return *(char *)lg_heap_at(opened, lg_heap_root_get(opened, "object"));
}

/* Whatever bit is wrong where open looks: an answer, and the file stays as it is. */
static void a_flipped_bit_is_an_answer(void **state)
{
	static const struct {
		off_t from, to, step;
	} places[] = { { 0, 120, 1 },
		       { 120, 620, 31 },
		       { 4096, 4216, 5 },
		       { LG_HEADER_OFFSET, LG_HEADER_OFFSET + 24, 1 },
		       { LG_TABLE_OFFSET + 60 * 16, LG_TABLE_OFFSET + 72 * 16, 3 },
		       { (off_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT,
			 ((off_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT) + 9000, 173 } };

	(void)state;
	unclosed_heap_with_data();
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (off_t at = places[i].from; at < places[i].to; at += places[i].step) {
			struct stat before, after;

			flip(at, (unsigned char)(1 << at % 8));
			assert_int_equal(stat(heap_path, &before), 0);
			errno = 0;
			lg_heap *one = lg_heap_open(heap_path, "readonly:on,reserve:1G");
			assert_true(one != NULL || errno == EINVAL);
			if (at < 2 * LG_HEAP_PAGE) /* there is another */
				assert_int_equal(object_of(one), 7);
			assert_int_equal(lg_heap_close(one), 0);
			if (at % 16 == 0)
				(void)lg_heap_check(heap_path, 0, NULL);
			assert_int_equal(stat(heap_path, &after), 0);
			assert_memory_equal(&before.st_mtim, &after.st_mtim,
					    sizeof(before.st_mtim));
			flip(at, (unsigned char)(1 << at % 8));
		}
	heap = lg_heap_open(heap_path, "reserve:1G");
	assert_non_null(heap);
	assert_int_equal(object_of(heap), 7);
}

/* Two parts of the heap with one chunk of checksums would each take the other's for their own. */
static void checksums_that_overlap_are_refused(void **state)
{
	const off_t at = LG_HEADER_OFFSET + (off_t)offsetof(struct lg_heap_header, sums);
	uint32_t sums[2];

	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	int file = open(heap_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(file, sums, sizeof(sums), at), sizeof(sums));
	assert_int_not_equal(sums[0], 0);
	assert_int_equal(sums[1], 0);
	sums[1] = sums[0];
	assert_int_equal(pwrite(file, sums, sizeof(sums), at), sizeof(sums));
	heap_refused(NULL, EINVAL, "its checksums overlap");
	assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), -EINVAL);
	close(file);
}

static void a_truncated_file_is_refused(void **state)
{
	struct stat status;

	(void)state;
	assert_non_null(lg_heap_alloc(heap, 10 << 20));
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	assert_int_equal(stat(heap_path, &status), 0);
	for (off_t bytes = status.st_size - 1; bytes > 0; bytes /= 3) {
		assert_int_equal(truncate(heap_path, bytes), 0);
		heap_refused(NULL, EINVAL, heap_path);
		heap_refused("create:on", EINVAL, heap_path);
	}
}

static void a_newer_version_is_enotsup(void **state)
{
	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	for (int i = 0; i < 2; i++) {
		struct lg_super super;
		int file = open(heap_path, O_RDWR | O_CLOEXEC);

		assert_int_equal(pread(file, &super, sizeof(super), i * LG_HEAP_PAGE),
				 sizeof(super));
		super.version = LG_HEAP_VERSION + 1;
		lg_super_seal(&super);
		assert_int_equal(pwrite(file, &super, sizeof(super), i * LG_HEAP_PAGE),
				 sizeof(super));
		close(file);
		heap_refused(NULL, ENOTSUP, "newer"); /* one is enough */
		assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), -ENOTSUP);
	}
}

static void it_opens_at_another_address(void **state)
{
	(void)state;
	char *text = heap_keep_text();
	assert_int_equal(lg_heap_close(heap), 0);
	/* The place it had is taken. */
	void *taken = mmap((void *)((uintptr_t)text & ~(uintptr_t)4095), 1 << 20, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	heap = lg_heap_open(heap_path, "reserve:4G");
	assert_non_null(heap);
	char *again = lg_heap_at(heap, lg_heap_root_get(heap, "text"));
	assert_true(taken == MAP_FAILED || again != text);
	assert_string_equal(again, "text");
	if (taken != MAP_FAILED)
		munmap(taken, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEAP_TEST(options_are_checked),
		HEAP_TEST(a_second_opening_is_ebusy),
		HEAP_TEST(an_empty_file_becomes_a_heap_only_with_create),
		HEAP_TEST(readonly_changes_nothing),
		HEAP_TEST(opening_writes_nothing),
		HEAP_TEST(a_flipped_bit_is_an_answer),
		HEAP_TEST(checksums_that_overlap_are_refused),
		HEAP_TEST(a_truncated_file_is_refused),
		HEAP_TEST(a_newer_version_is_enotsup),
		HEAP_TEST(it_opens_at_another_address),
	};

	return UNIT_RUN(tests);
}
