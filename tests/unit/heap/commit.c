/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/checkpoint.h"
#include "heap/heap.h"
#include "os/map.h"
#include "unit/heap/claim.h"

#include <sys/mman.h>

static void what_was_not_committed_is_gone(void **state)
{
	(void)state;
	int *number = lg_heap_calloc(heap, 1, sizeof(int));
	lg_heap_root_set(heap, "number", lg_heap_ref(heap, number));
	*number = 1;
	assert_int_equal(lg_heap_commit(heap), 0);
	*number = 2;
	assert_non_null(lg_heap_alloc(heap, 100));
	lg_heap_root_set(heap, "other", lg_heap_ref(heap, number));
	heap_reopen();
	number = lg_heap_at(heap, lg_heap_root_get(heap, "number"));
	assert_int_equal(*number, 1);
	assert_int_equal(lg_heap_root_get(heap, "other"), 0);
	assert_int_equal(heap_objects(), 1);
}

static void rollback_is_the_last_commit(void **state)
{
	(void)state;
	for (int round = 1; round < 20; round++) {
		unsigned char *object = lg_heap_alloc(heap, (size_t)round * 9000);

		memset(object, round, (size_t)round * 9000);
		lg_heap_root_set(heap, "object", lg_heap_ref(heap, object));
		assert_int_equal(lg_heap_commit(heap), 0);
		memset(object, 0, (size_t)round * 9000);
		assert_int_equal(lg_heap_free(heap, object), 0);
		assert_non_null(lg_heap_alloc(heap, 3000000));
		lg_heap_root_set(heap, "object", 0);
		assert_int_equal(lg_heap_rollback(heap), 0);
		assert_ptr_equal(lg_heap_at(heap, lg_heap_root_get(heap, "object")), object);
		for (int i = 0; i < round * 9000; i++)
			assert_int_equal(object[i], round);
		assert_int_equal(heap_objects(), round);
	}
}

/* Such pages are not given up by a plain MADV_DONTNEED: neither the heap's nor those of its tables. */
static void rollback_undoes_what_is_locked_in_memory(void **state)
{
	enum { BYTES = 10 * 4096 };

	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	heap = lg_heap_open(heap_path, "reserve:256M,lockable:on"); /* all of it is locked */
	unsigned char *object = lg_heap_alloc(heap, BYTES);
	assert_non_null(object);
	memset(object, 1, BYTES);
	assert_int_equal(lg_heap_root_set(heap, "object", lg_heap_ref(heap, object)), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	if (mlockall(MCL_CURRENT) != 0)
		skip();
	memset(object, 2, BYTES);
	void *small = lg_heap_alloc(heap, 100), *large = lg_heap_alloc(heap, 100000);
	assert_int_equal(lg_heap_rollback(heap), 0);
	for (int i = 0; i < BYTES; i++)
		assert_int_equal(object[i], 1);
	assert_int_equal(lg_heap_free(heap, small), -EINVAL);
	assert_int_equal(lg_heap_free(heap, large), -EINVAL);
	assert_int_equal(lg_heap_free(heap, object), 0);
	assert_int_equal(munlockall(), 0);
}

/* Else the kernel may go round for ever over a page that is armed and not there: os/written.h. */
static void a_heap_that_is_locked_arms_no_pages(void **state)
{
	(void)state;
	unsigned char *object = lg_heap_alloc(heap, 1);
	assert_non_null(object);
	*object = 1;
	assert_int_equal(lg_heap_root_set(heap, "object", lg_heap_ref(heap, object)), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	if (!heap->written.exact)
		skip();
	*object = 2;
	assert_non_null(lg_heap_alloc(heap, 100)); /* the header is there: mlock reads nothing */
	/* AddressSanitizer's mlock does nothing. */
	if (mlock(heap->header, LG_HEAP_PAGE) != 0 || !lg_os_is_locked(heap->header, LG_HEAP_PAGE))
		skip();
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_false(heap->written.exact);
	*object = 3;
	assert_int_equal(lg_heap_rollback(heap), 0);
	assert_int_equal(*object, 2);
	*object = 4;
	assert_int_equal(munlock(heap->header, LG_HEAP_PAGE), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_false(heap->written.exact);

	assert_int_equal(lg_heap_close(heap), 0); /* locked before its first commit */
	heap = lg_heap_open(heap_path, "reserve:256M");
	assert_non_null(heap);
	assert_non_null(lg_heap_alloc(heap, 100));
	assert_int_equal(mlock(heap->header, LG_HEAP_PAGE), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_false(heap->written.exact);
	object = lg_heap_at(heap, lg_heap_root_get(heap, "object"));
	assert_int_equal(*object, 4);
}

static void rollback_before_the_first_commit_is_the_open(void **state)
{
	(void)state;
	assert_non_null(lg_heap_alloc(heap, 100));
	assert_non_null(lg_heap_alloc(heap, 1000000));
	assert_int_equal(lg_heap_rollback(heap), 0);
	assert_int_equal(heap_objects(), 0);
	assert_non_null(lg_heap_alloc(heap, 100));
	assert_int_equal(lg_heap_commit(heap), 0);
	heap_reopen();
	assert_int_equal(heap_objects(), 1);
}

static void commit_between_begin_and_end_is_edeadlk(void **state)
{
	(void)state;
	lg_heap_begin(heap);
	lg_heap_begin(heap);
	assert_int_equal(lg_heap_commit(heap), -EDEADLK);
	lg_heap_end(heap);
	assert_int_equal(lg_heap_commit(heap), -EDEADLK);
	assert_int_equal(lg_heap_rollback(heap), -EDEADLK);
	lg_heap_end(heap);
	assert_int_equal(lg_heap_commit(heap), 0);
}

/* The journal is 1 MiB: this is 30, then 70; new objects would not go through it. */
static void a_commit_larger_than_the_journal_extends_it(void **state)
{
	struct lg_heap_stats stats;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t bytes = (30u + i * 40) << 20;
		unsigned char *object = lg_heap_alloc(heap, bytes);

		assert_non_null(object);
		assert_int_equal(lg_heap_commit(heap), 0);
		for (size_t at = 0; at < bytes; at += 4096)
			object[at] = (unsigned char)(at >> 12);
		lg_heap_root_set(heap, i == 0 ? "first" : "second", lg_heap_ref(heap, object));
		assert_int_equal(lg_heap_commit(heap), 0);
		assert_int_equal(lg_heap_stats_read(heap, &stats), 0);
		assert_true(stats.journal_bytes > bytes);
	}
	heap_reopen();
	const unsigned char *object = lg_heap_at(heap, lg_heap_root_get(heap, "second"));
	for (size_t at = 0; at < (size_t)70 << 20; at += 4096)
		assert_int_equal(object[at], (unsigned char)(at >> 12));
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	heap = lg_heap_open(heap_path, NULL);
}

static void large_objects_that_are_new_are_written_once(void **state)
{
	enum { BYTES = 8 << 20 };
	struct lg_heap_stats before, after;

	(void)state;
	for (int round = 0; round < 3; round++) {
		unsigned char *large = lg_heap_alloc(heap, BYTES);
		assert_non_null(large);
		memset(large, round + 1, BYTES);
		assert_int_equal(lg_heap_root_set(heap, "large", lg_heap_ref(heap, large)), 0);
		assert_int_equal(lg_heap_stats_read(heap, &before), 0);
		assert_int_equal(lg_heap_commit(heap), 0);
		assert_int_equal(lg_heap_stats_read(heap, &after), 0);
		assert_true(after.pages_committed - before.pages_committed >= BYTES / 4096);
		assert_true(after.bytes_journaled - before.bytes_journaled < 1 << 20);
		/* Changed later they go as everything does. */
		memset(large, round + 10, BYTES / 2);
		assert_int_equal(lg_heap_commit(heap), 0);
		heap_reopen();
		assert_int_equal(lg_heap_stats_read(heap, &before), 0);
		large = lg_heap_at(heap, lg_heap_root_get(heap, "large"));
		for (int i = 0; i < BYTES; i += 511)
			assert_int_equal(large[i], i < BYTES / 2 ? round + 10 : round + 1);
	}
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, stderr), 0);
	heap = lg_heap_open(heap_path, "reserve:4G");
}

/* Pages that are home are given up, and read the same. */
static void private_copies_are_bounded(void **state)
{
	enum { BYTES = 4 << 20 };
	struct lg_heap_stats stats;

	(void)state;
	unsigned char *object = lg_heap_alloc(heap, BYTES);
	lg_heap_root_set(heap, "object", lg_heap_ref(heap, object));
	memset(object, 9, BYTES);
	assert_int_equal(lg_heap_commit(heap), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(lg_checkpoint_run(heap), 0);
		object[0]++;
		assert_int_equal(lg_heap_commit(heap), 0);
	}
	assert_int_equal(lg_heap_stats_read(heap, &stats), 0);
	assert_true(stats.pages_dropped >= BYTES / 4096 / 2);
	for (int i = 1; i < BYTES; i++)
		assert_int_equal(object[i], 9);
	assert_int_equal(object[0], 13);
}

static void what_is_freed_goes_back_to_the_disk(void **state)
{
	struct lg_heap_stats stats;

	(void)state;
	void *object = lg_heap_alloc(heap, 16 << 20);
	memset(object, 1, 16 << 20);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_free(heap, object), 0);
	for (int i = 0; i < 4; i++) {
		int *number = lg_heap_alloc(heap, sizeof(int));

		*number = i;
		assert_int_equal(lg_heap_commit(heap), 0);
		assert_int_equal(lg_checkpoint_run(heap), 0);
	}
	assert_int_equal(lg_heap_stats_read(heap, &stats), 0);
	assert_true(stats.punched_bytes >= 14 << 20); /* a chunk became the numbers' */
	unsigned char *zeros = lg_heap_calloc(heap, 1, 16 << 20);
	for (int i = 0; i < 16 << 20; i += 512)
		assert_int_equal(zeros[i], 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	heap_reopen();
	assert_int_equal(heap_objects(), 5);
}

static void a_snapshot_is_a_heap_of_its_own(void **state)
{
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s.snapshot", heap_path);
	unlink(path);
	int *number = lg_heap_alloc(heap, sizeof(int));
	lg_heap_root_set(heap, "number", lg_heap_ref(heap, number));
	*number = 1;
	assert_int_equal(lg_heap_commit(heap), 0);
	*number = 2;
	assert_int_equal(lg_heap_snapshot(heap, path), 0);
	assert_int_equal(lg_heap_snapshot(heap, path), -EEXIST);
	assert_int_equal(lg_heap_commit(heap), 0);
	lg_heap *copy = lg_heap_open(path, NULL);
	assert_non_null(copy);
	assert_int_equal(*(int *)lg_heap_at(copy, lg_heap_root_get(copy, "number")), 1);
	assert_int_equal(lg_heap_close(copy), 0);
	assert_int_equal(lg_heap_check(path, 0, NULL), 0);
	assert_int_equal(*(int *)lg_heap_at(heap, lg_heap_root_get(heap, "number")), 2);
	unlink(path);
}

static void roots_come_and_go(void **state)
{
	char name[LG_HEAP_NAME_MAX + 2];
	uint64_t cursor = 0, found = 0;
	lg_ref ref;

	(void)state;
	void *object = lg_heap_alloc(heap, 1);
	for (int i = 0; i < LG_HEAP_ROOTS_MAX; i++) {
		snprintf(name, sizeof(name), "root %d", i);
		assert_int_equal(lg_heap_root_set(heap, name, lg_heap_ref(heap, object)), 0);
	}
	assert_int_equal(lg_heap_root_set(heap, "one more", 1 << 20), -ENOSPC);
	assert_int_equal(lg_heap_root_set(heap, "root 7", 0), 0);
	assert_int_equal(lg_heap_root_get(heap, "root 7"), 0);
	assert_int_equal(lg_heap_root_set(heap, "root 7", 0), 0);
	assert_int_equal(lg_heap_root_set(heap, "one more", lg_heap_ref(heap, object)), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	heap_reopen();
	while (lg_heap_root_next(heap, &cursor, name, &ref) == 1) {
		assert_int_equal(lg_heap_root_get(heap, name), ref);
		found++;
	}
	assert_int_equal(found, LG_HEAP_ROOTS_MAX);
	memset(name, 'a', sizeof(name));
	name[LG_HEAP_NAME_MAX + 1] = '\0';
	assert_int_equal(lg_heap_root_set(heap, name, 4096), -EINVAL);
	assert_int_equal(lg_heap_root_set(heap, "", 4096), -EINVAL);
	assert_int_equal(lg_heap_root_set(heap, NULL, 4096), -EINVAL);
	assert_int_equal(lg_heap_root_set(heap, "far", UINT64_MAX), -EINVAL);
}

static void check_finds_what_is_wrong_and_repairs_it(void **state)
{
	(void)state;
	char *object = lg_heap_alloc(heap, 100000);
	memset(object, 5, 100000);
	lg_ref ref = lg_heap_ref(heap, object);
	lg_heap_root_set(heap, "object", ref);
	lg_heap_root_set(heap, "nowhere", ref + (1 << 20));
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	FILE *file = fopen(heap_path, "r+");
	assert_int_equal(fseek(file, (long)ref + 50000, SEEK_SET), 0);
	fputc(6, file);
	fclose(file);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 2);
	assert_int_equal(lg_heap_check(heap_path, 2, NULL), -EINVAL);
	assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), 2);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	heap = lg_heap_open(heap_path, NULL);
	assert_non_null(heap);
	assert_int_equal(lg_heap_root_get(heap, "nowhere"), 0);
	assert_int_equal(lg_heap_root_get(heap, "object"), ref);
}

static void list_type(lg_heap_marking *marking, const void *object, size_t bytes)
{
	(void)bytes;
	lg_heap_mark(marking, *(const lg_ref *)object, list_type);
}

static void reported(const char *words)
{
	char *text = NULL;
	size_t length;
	FILE *report = open_memstream(&text, &length);

	assert_int_equal(lg_heap_check(heap_path, 0, report), 0);
	assert_int_equal(fclose(report), 0);
	if ((strstr(text, words != NULL ? words : "no root leads") != NULL) != (words != NULL))
		fail_msg("'%s' is not, or not alone, in: %s", words != NULL ? words : "", text);
	free(text);
}

/* A list of three, and one that only the second word of its first element leads to. */
static void check_counts_what_no_root_leads_to(void **state)
{
	lg_ref refs[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		refs[i] = lg_heap_ref(heap, lg_heap_calloc(heap, 1, 64));
	lg_ref *first = lg_heap_at(heap, refs[0]);
	first[0] = refs[1];
	first[1] = refs[3];
	*(lg_ref *)lg_heap_at(heap, refs[1]) = refs[2];
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	reported("no root leads to 4 objects with 256 bytes\n");
	heap = lg_heap_open(heap_path, "reserve:1G");
	assert_int_equal(lg_heap_root_set(heap, "list", refs[0]), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	reported(NULL);
	assert_int_equal(lg_heap_type_register("list", list_type), 0);
	reported("no root leads to 1 objects with 64 bytes\n");
	assert_int_equal(lg_heap_type_register("list", NULL), 0);
	heap = lg_heap_open(heap_path, "reserve:1G");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HEAP_TEST(what_was_not_committed_is_gone),
		HEAP_TEST(rollback_is_the_last_commit),
		HEAP_TEST(rollback_undoes_what_is_locked_in_memory),
		HEAP_TEST(a_heap_that_is_locked_arms_no_pages),
		HEAP_TEST(rollback_before_the_first_commit_is_the_open),
		HEAP_TEST(commit_between_begin_and_end_is_edeadlk),
		HEAP_TEST(a_commit_larger_than_the_journal_extends_it),
		HEAP_TEST(large_objects_that_are_new_are_written_once),
		HEAP_TEST(private_copies_are_bounded),
		HEAP_TEST(what_is_freed_goes_back_to_the_disk),
		HEAP_TEST(a_snapshot_is_a_heap_of_its_own),
		HEAP_TEST(roots_come_and_go),
		HEAP_TEST(check_finds_what_is_wrong_and_repairs_it),
		HEAP_TEST(check_counts_what_no_root_leads_to),
	};

	return UNIT_RUN(tests);
}
