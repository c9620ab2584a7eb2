/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/format.h"
#include "unit/heap/claim.h"

#include <pthread.h>
#include <sys/wait.h>

static void classes_are_the_smallest_that_hold_a_size(void **state)
{
	(void)state;
	for (uint64_t bytes = 1; bytes <= LG_CACHED_MAX; bytes += bytes < 40000 ? 1 : 97) {
		unsigned class = lg_heap_class_of(bytes);

		assert_true(class < LG_HEAP_CLASSES);
		assert_true(lg_heap_class_bytes(class) >= bytes);
		assert_true(class == 0 || lg_heap_class_bytes(class - 1) < bytes);
	}
	for (unsigned class = 0; class < LG_SLAB_CLASSES; class ++) {
		uint32_t bytes = lg_heap_class_bytes(class), slots = lg_slab_slots(bytes);

		assert_int_equal(bytes % 16, 0);
		assert_true(slots <= LG_SLOTS_MAX && slots / 8 <= lg_slab_first(bytes));
		assert_true(lg_slab_first(bytes) + slots * bytes <= LG_CHUNK);
	}
}

static void objects_of_every_size_do_not_overlap(void **state)
{
	enum { OBJECTS = 600 };
	static unsigned char *objects[OBJECTS];
	static size_t sizes[OBJECTS];

	(void)state;
	for (unsigned i = 0; i < OBJECTS; i++) {
		sizes[i] = i % 40 == 39 ? (size_t)i * 9000 : 1 + (size_t)i * i % 40000;
		objects[i] = lg_heap_alloc(heap, sizes[i]);
		assert_non_null(objects[i]);
		assert_int_equal((uintptr_t)objects[i] % 16, 0);
		assert_true(lg_heap_usable_size(heap, objects[i]) >= sizes[i]);
		memset(objects[i], (int)i, sizes[i]);
	}
	assert_int_equal(heap_objects(), OBJECTS);
	for (unsigned i = 0; i < OBJECTS; i++) {
		assert_int_equal(objects[i][0], i % 256);
		assert_int_equal(objects[i][sizes[i] / 2], i % 256);
		assert_int_equal(objects[i][sizes[i] - 1], i % 256);
		assert_int_equal(lg_heap_free(heap, objects[i]), 0);
	}
	assert_int_equal(heap_objects(), 0);
}

static void a_size_gets_the_slot_of_its_class(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes <= 3000; bytes++) {
		/* Twice: from the bitmaps, and from the magazine. */
		for (int i = 0; i < 2; i++) {
			void *object = lg_heap_alloc(heap, bytes);

			assert_int_equal(lg_heap_usable_size(heap, object),
					 lg_heap_class_bytes(lg_heap_class_of(bytes)));
			assert_int_equal(lg_heap_free(heap, object), 0);
		}
	}
}

/* Of slots at the beginning, in the middle and at the end of a chunk, whatever the size. */
static void no_address_but_the_first_is_an_object(void **state)
{
	(void)state;
	for (unsigned class = 0; class < LG_SLAB_CLASSES; class ++) {
		uint32_t bytes = lg_heap_class_bytes(class), slots = lg_slab_slots(bytes);
		char **objects = test_malloc(slots * sizeof(*objects));

		for (uint32_t i = 0; i < slots; i++) {
			objects[i] = lg_heap_alloc(heap, bytes);
			assert_non_null(objects[i]);
		}
		for (uint32_t i = 0; i < slots; i += i == slots / 2 ? slots - slots / 2 - 1 :
						     i == 0         ? slots / 2 :
								      1)
			for (uint32_t in = 0; in <= bytes; in += in < 64 || bytes - in < 64 ? 1 : 8)
				if (in > 0 && in < bytes)
					assert_int_equal(lg_heap_free(heap, objects[i] + in),
							 -EINVAL);
		for (uint32_t i = 0; i < slots; i++)
			assert_int_equal(lg_heap_free(heap, objects[i]), 0);
		for (uint32_t i = 0; i < slots; i += slots / 7 + 1)
			assert_int_equal(lg_heap_free(heap, objects[i]), -EINVAL);
		test_free(objects);
	}
	assert_int_equal(heap_objects(), 0);
}

static void misuse_is_found_and_does_no_harm(void **state)
{
	static const size_t sizes[] = { 16, 100, 4096, 32768, 65536, 1 << 20, 5 << 20 };
	int outside;

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *object = lg_heap_alloc(heap, sizes[i]);

		assert_non_null(object);
		assert_int_equal(lg_heap_free(heap, object + 1), -EINVAL);
		assert_int_equal(lg_heap_free(heap, object + sizes[i] / 2), -EINVAL);
		assert_int_equal(lg_heap_usable_size(heap, object + 8), 0);
		assert_int_equal(heap_objects(), 1);
		assert_int_equal(lg_heap_free(heap, object), 0);
		assert_int_equal(lg_heap_free(heap, object), -EINVAL);
		assert_true(strstr(lg_error(), "freed twice") != NULL);
		assert_int_equal(lg_heap_usable_size(heap, object), 0);
		assert_int_equal(heap_objects(), 0);
	}
	assert_int_equal(lg_heap_free(heap, &outside), -EINVAL);
	assert_int_equal(lg_heap_free(heap, NULL), 0);
	assert_int_equal(lg_heap_free(heap, lg_heap_at(heap, 4096)), -EINVAL);
	assert_int_equal(lg_heap_free(heap, lg_heap_at(heap, LG_TABLE_OFFSET)), -EINVAL);
	assert_int_equal(lg_heap_free(heap, lg_heap_at(heap, 3u << 30)), -EINVAL);
	errno = 0;
	assert_null(lg_heap_realloc(heap, &outside, 10));
	assert_int_equal(errno, EINVAL);
}

static void a_size_beyond_the_reserve_is_enomem(void **state)
{
	(void)state;
	errno = 0;
	assert_null(lg_heap_alloc(heap, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(lg_heap_alloc(heap, (size_t)5 << 30));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(lg_heap_calloc(heap, SIZE_MAX / 2, 3));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(lg_heap_alloc(heap, 100));
}

static void realloc_keeps_the_bytes(void **state)
{
	static const size_t sizes[] = { 10,      90,     5000,  40000, 300000, 3 << 20,
					9 << 20, 200000, 70000, 300,   7 };
	unsigned char *object = lg_heap_realloc(heap, NULL, sizes[0]);
	size_t before = sizes[0];

	(void)state;
	assert_non_null(object);
	memset(object, 1, before);
	for (unsigned i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t kept = before < sizes[i] ? before : sizes[i];

		object = lg_heap_realloc(heap, object, sizes[i]);
		assert_non_null(object);
		for (size_t at = 0; at < kept; at++)
			assert_int_equal(object[at], i);
		memset(object, (int)i + 1, sizes[i]);
		assert_int_equal(heap_objects(), 1);
		before = sizes[i];
	}
}

static void calloc_is_zero_also_where_something_was(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (size_t bytes = 1; bytes < 4000000; bytes = bytes * 5 + 3) {
			unsigned char *object = lg_heap_calloc(heap, 1, bytes);

			assert_non_null(object);
			for (size_t i = 0; i < bytes; i++)
				assert_int_equal(object[i], 0);
			memset(object, 0xff, bytes);
			assert_int_equal(lg_heap_free(heap, object), 0);
		}
}

static void repetition_exhausts_nothing(void **state)
{
	struct lg_heap_stats before, after;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3000; i++)
			for (size_t bytes = 64; bytes < 8000000; bytes *= 16)
				assert_int_equal(lg_heap_free(heap, lg_heap_alloc(heap, bytes)), 0);
		assert_int_equal(lg_heap_stats_read(heap, round == 0 ? &before : &after), 0);
	}
	assert_int_equal(before.file_bytes, after.file_bytes);
}

/* Slabs that were emptied serve other sizes, once a commit has taken caches along. */
static void memory_is_reusable_in_every_size(void **state)
{
	enum { OBJECTS = 30000 };
	static void *objects[OBJECTS];
	struct lg_heap_stats before, after;

	(void)state;
	for (size_t bytes = 64; bytes <= 1024; bytes *= 4) {
		for (unsigned i = 0; i < OBJECTS; i++)
			assert_non_null(objects[i] = lg_heap_alloc(heap, bytes));
		for (unsigned i = 0; i < OBJECTS; i++)
			assert_int_equal(lg_heap_free(heap, objects[i]), 0);
		assert_int_equal(lg_heap_commit(heap), 0);
	}
	assert_int_equal(lg_heap_stats_read(heap, &before), 0);
	void *large = lg_heap_alloc(heap, 20 << 20);
	assert_non_null(large);
	assert_int_equal(lg_heap_stats_read(heap, &after), 0);
	assert_int_equal(before.file_bytes, after.file_bytes);
}

static void *free_all(void *argument)
{
	void **objects = argument;

	for (unsigned i = 0; objects[i] != NULL; i++)
		assert_int_equal(lg_heap_free(heap, objects[i]), 0);
	return NULL;
}

static void another_thread_may_free(void **state)
{
	static void *objects[5001];
	pthread_t thread;

	(void)state;
	for (int round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 5000; i++)
			assert_non_null(objects[i] = lg_heap_alloc(heap, 1 + i % 3000));
		assert_int_equal(pthread_create(&thread, NULL, free_all, objects), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(heap_objects(), 0);
	}
}

static void a_forked_child_has_it_closed(void **state)
{
	int status;

	(void)state;
	assert_non_null(lg_heap_alloc(heap, 10));
	pid_t child = fork();
	if (child == 0) {
		bool good = lg_heap_alloc(heap, 10) == NULL && errno == EBADF &&
			    lg_heap_commit(heap) == -EBADF && lg_heap_rollback(heap) == -EBADF &&
			    lg_heap_root_get(heap, "x") == 0 && lg_heap_close(heap) == 0;

		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_non_null(lg_heap_alloc(heap, 10));
	assert_int_equal(lg_heap_commit(heap), 0);
}

static void two_heaps_do_not_meet(void **state)
{
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s.second", heap_path);
	unlink(path);
	lg_heap *second = lg_heap_open(path, "create:on,reserve:1G,journal:1M");
	assert_non_null(second);
	int *one = lg_heap_alloc(heap, sizeof(int)), *two = lg_heap_alloc(second, sizeof(int));
	assert_int_equal(lg_heap_free(heap, two), -EINVAL);
	assert_int_equal(lg_heap_ref(heap, two), 0);
	*one = 1;
	*two = 2;
	lg_heap_root_set(heap, "number", lg_heap_ref(heap, one));
	lg_heap_root_set(second, "number", lg_heap_ref(second, two));
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_commit(second), 0);
	assert_int_equal(lg_heap_close(second), 0);
	second = lg_heap_open(path, NULL);
	assert_int_equal(*(int *)lg_heap_at(heap, lg_heap_root_get(heap, "number")), 1);
	assert_int_equal(*(int *)lg_heap_at(second, lg_heap_root_get(second, "number")), 2);
	assert_int_equal(lg_heap_close(second), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_the_smallest_that_hold_a_size),
		HEAP_TEST(objects_of_every_size_do_not_overlap),
		HEAP_TEST(a_size_gets_the_slot_of_its_class),
		HEAP_TEST(no_address_but_the_first_is_an_object),
		HEAP_TEST(misuse_is_found_and_does_no_harm),
		HEAP_TEST(a_size_beyond_the_reserve_is_enomem),
		HEAP_TEST(realloc_keeps_the_bytes),
		HEAP_TEST(calloc_is_zero_also_where_something_was),
		HEAP_TEST(repetition_exhausts_nothing),
		HEAP_TEST(memory_is_reusable_in_every_size),
		HEAP_TEST(another_thread_may_free),
		HEAP_TEST(a_forked_child_has_it_closed),
		HEAP_TEST(two_heaps_do_not_meet),
	};

	return UNIT_RUN(tests);
}
