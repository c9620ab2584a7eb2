/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/format.h"
#include "os/disk.h"
#include "unit/heap/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

struct node {
	lg_ref next;
	int64_t offset; /* of another, from here */
	uint64_t words[4];
};

static int shared_setup(void **state)
{
	if (heap_setup(state) != 0 || lg_heap_close(heap) != 0)
		return -1;
	unlink(heap_path);
	heap = lg_heap_open(heap_path, "create:on,reserve:1G,mode:shared");
	return heap != NULL ? 0 : -1;
}

static int shared_teardown(void **state)
{
	(void)lg_heap_type_register("first", NULL);
	return heap_teardown(state);
}

static struct node *first(void)
{
	return lg_heap_at(heap, lg_heap_root_get(heap, "first"));
}

/* Another process does that to the heap, and is gone. */
static void in_a_process_that_is_killed(void (*work)(void))
{
	int status;

	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	pid_t child = fork();
	if (child == 0) {
		heap = lg_heap_open(heap_path, "reserve:1G");
		work();
		raise(SIGKILL);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void open_again(void)
{
	heap = lg_heap_open(heap_path, "reserve:1G");
	if (heap == NULL)
		fail_msg("%s", lg_error());
}

static struct node *new_node(void)
{
	struct node *node = lg_heap_calloc(heap, 1, sizeof(*node));

	assert_non_null(node);
	return node;
}

static void the_mode_is_the_files(void **state)
{
	(void)state;
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	heap_refused("mode:atomic", EINVAL, "mode:shared");
	heap_refused("mode:shared,journal:1M", EINVAL, "journal");
	heap = lg_heap_open(heap_path, "mode:shared,reserve:1G");
	assert_non_null(heap);
	assert_int_equal(lg_heap_rollback(heap), -ENOTSUP);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	unlink(heap_path);
	heap = lg_heap_open(heap_path, "create:on,reserve:1G");
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	heap_refused("mode:shared", EINVAL, "mode:atomic");
}

static void what_is_written_stays_without_a_commit(void **state)
{
	(void)state;
	char *large = lg_heap_alloc(heap, 5 << 20);
	assert_non_null(large);
	memset(large, 7, 5 << 20);
	assert_int_equal(lg_heap_root_set(heap, "large", lg_heap_ref(heap, large)), 0);
	for (int i = 0; i < 1000; i++)
		assert_non_null(lg_heap_alloc(heap, 100));
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, stderr), 0);
	open_again();
	assert_int_equal(heap_objects(), 1001);
	large = lg_heap_at(heap, lg_heap_root_get(heap, "large"));
	for (int i = 0; i < 5 << 20; i++)
		assert_int_equal(large[i], 7);
	/* A reader has the same, and changes nothing of it. */
	assert_int_equal(lg_heap_close(heap), 0);
	heap = lg_heap_open(heap_path, "readonly:on,reserve:1G");
	assert_int_equal(heap_objects(), 1001);
	assert_int_equal(lg_heap_commit(heap), -EROFS);
}

/* first → second by a ref, second → third by an offset; a fourth that nothing leads to; and large ones. */
static void make_list(void)
{
	struct node *one = new_node(), *two = new_node(), *three = new_node();

	(void)new_node();
	(void)lg_heap_alloc(heap, 100000);
	one->next = lg_heap_ref(heap, two);
	two->offset = (char *)three - (char *)&two->offset;
	three->words[0] = lg_heap_ref(heap, lg_heap_alloc(heap, 3 << 20));
	(void)lg_heap_root_set(heap, "first", lg_heap_ref(heap, one));
}

static void words_lead_to_what_stays(void **state)
{
	(void)state;
	in_a_process_that_is_killed(make_list);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 1);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 1); /* it changed nothing */
	open_again();
	assert_int_equal(heap_objects(), 4);
	struct node *two = lg_heap_at(heap, first()->next);
	struct node *three = (void *)((char *)&two->offset + two->offset);
	assert_int_equal(lg_heap_usable_size(heap, three), lg_heap_usable_size(heap, two));
	assert_true(lg_heap_usable_size(heap, lg_heap_at(heap, three->words[0])) >= 3 << 20);
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, stderr), 0);
	open_again();
	assert_int_equal(heap_objects(), 4);
}

static void node_type(lg_heap_marking *marking, const void *object, size_t bytes)
{
	const struct node *node = object;

	assert_true(bytes >= sizeof(*node));
	lg_heap_mark(marking, node->next, node_type);
	if (node->offset != 0)
		lg_heap_mark_at(marking, (const char *)&node->offset + node->offset,
				lg_heap_type_plain);
}

static void a_type_says_what_stays(void **state)
{
	(void)state;
	in_a_process_that_is_killed(make_list);
	assert_int_equal(lg_heap_type_register("first", node_type), 0);
	open_again();
	assert_int_equal(heap_objects(), 3);
	assert_int_equal(lg_heap_type_register("", node_type), -EINVAL);
	assert_int_equal(lg_heap_type_register("first", NULL), 0);
}

static void types_are_bounded(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < LG_HEAP_TYPES_MAX; i++) {
		snprintf(name, sizeof(name), "type-%d", i);
		assert_int_equal(lg_heap_type_register(name, node_type), 0);
	}
	assert_int_equal(lg_heap_type_register("one-more", node_type), -ENOSPC);
	assert_int_equal(lg_heap_type_register("type-3", lg_heap_type_plain), 0);
	for (int i = 0; i < LG_HEAP_TYPES_MAX; i++) {
		snprintf(name, sizeof(name), "type-%d", i);
		assert_int_equal(lg_heap_type_register(name, NULL), 0);
	}
	/* The type of all roots. */
	in_a_process_that_is_killed(make_list);
	assert_int_equal(lg_heap_type_register(NULL, lg_heap_type_plain), 0);
	open_again();
	assert_int_equal(heap_objects(), 1);
	assert_int_equal(lg_heap_type_register(NULL, NULL), 0);
}

/* A superblock with another running of the kernel. */
static void the_machine_went_down(void)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE];
	struct lg_super *super = (struct lg_super *)(void *)page;
	int fd = open(heap_path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pread(fd, page, sizeof(page), i * LG_HEAP_PAGE), sizeof(page));
		super->salt++;
		lg_super_seal(super);
		assert_int_equal(pwrite(fd, page, sizeof(page), i * LG_HEAP_PAGE), sizeof(page));
	}
	close(fd);
}

static void a_machine_that_went_down_is_survived_by_a_repair_alone(void **state)
{
	(void)state;
	in_a_process_that_is_killed(make_list);
	the_machine_went_down();
	heap_refused("reserve:1G", EINVAL, "machine went down");
	heap_refused("readonly:on,reserve:1G", EINVAL, "machine went down");
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 1);
	heap_refused("reserve:1G", EINVAL, "machine went down");
	assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), 1);
	assert_int_equal(lg_heap_check(heap_path, 0, stderr), 0);
	open_again();
	assert_int_equal(heap_objects(), 4);
	/* One that was closed has nothing to fear from that. */
	assert_int_equal(lg_heap_close(heap), 0);
	the_machine_went_down();
	open_again();
	assert_int_equal(heap_objects(), 4);
}

static void half_written_entries_are_put_right(void **state)
{
	struct lg_heap_header header;
	struct lg_chunk_entry entry;

	(void)state;
	in_a_process_that_is_killed(make_list);
	int fd = open(heap_path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &header, sizeof(header), LG_HEADER_OFFSET), sizeof(header));
	uint32_t number = LG_CHUNK_FIRST;
	for (; number < header.chunks; number++) {
		off_t at = LG_TABLE_OFFSET + (off_t)number * (off_t)sizeof(entry);

		assert_int_equal(pread(fd, &entry, sizeof(entry), at), sizeof(entry));
		if (entry.kind != LG_CHUNK_EXTENT || entry.used >> 28 != 0)
			continue;
		/* The last units: one in use that begins nothing, and a beginning without a unit. */
		entry.used = (entry.used | UINT32_C(1) << 31) & ~(UINT32_C(1) << 30);
		entry.start = (entry.start | UINT32_C(1) << 30) & ~(UINT32_C(1) << 31);
		assert_int_equal(pwrite(fd, &entry, sizeof(entry), at), sizeof(entry));
		break;
	}
	assert_true(number < header.chunks);
	close(fd);
	open_again();
	assert_int_equal(heap_objects(), 4);
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, stderr), 0);
	open_again();
}

static void what_no_kill_leaves_is_refused_and_not_written(void **state)
{
	static char before[LG_CHUNK], after[LG_CHUNK];
	struct lg_chunk_entry entry;
	off_t at = LG_TABLE_OFFSET + LG_CHUNK_FIRST * (off_t)sizeof(entry);

	(void)state;
	in_a_process_that_is_killed(make_list);
	int fd = open(heap_path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(pread(fd, &entry, sizeof(entry), at), sizeof(entry));
		uint8_t kind = entry.kind;
		entry.kind = round == 0 ? LG_CHUNK_KINDS : LG_CHUNK_SUMS;
		assert_int_equal(pwrite(fd, &entry, sizeof(entry), at), sizeof(entry));
		assert_int_equal(pread(fd, before, sizeof(before), LG_TABLE_OFFSET),
				 sizeof(before));
		heap_refused("reserve:1G", EINVAL, "of no kind");
		assert_int_equal(pread(fd, after, sizeof(after), LG_TABLE_OFFSET), sizeof(after));
		assert_memory_equal(before, after, sizeof(before));
		entry.kind = kind;
		assert_int_equal(pwrite(fd, &entry, sizeof(entry), at), sizeof(entry));
	}
	close(fd);
	open_again();
	assert_int_equal(heap_objects(), 4);
}

/* Nor is it called open, which the next open would have to recover from. */
static void a_closed_heap_that_is_refused_stays_closed(void **state)
{
	static char before[LG_TABLE_OFFSET], after[LG_TABLE_OFFSET];
	off_t at = LG_TABLE_OFFSET + LG_CHUNK_FIRST * (off_t)sizeof(struct lg_chunk_entry);
	uint8_t none = LG_CHUNK_KINDS, kind;

	(void)state;
	make_list();
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	int fd = open(heap_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &kind, 1, at), 1);
	assert_int_equal(pwrite(fd, &none, 1, at), 1);
	assert_int_equal(pread(fd, before, sizeof(before), 0), sizeof(before));
	heap_refused("reserve:1G", EINVAL, "of no kind");
	heap_refused("readonly:on,reserve:1G", EINVAL, "of no kind");
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(pwrite(fd, &kind, 1, at), 1);
	close(fd);
	open_again();
	assert_int_equal(heap_objects(), 6);
}

static void a_snapshot_is_what_there_is(void **state)
{
	char copy[80];

	(void)state;
	make_list();
	snprintf(copy, sizeof(copy), "%s.copy", heap_path);
	unlink(copy);
	assert_int_equal(lg_heap_snapshot(heap, copy), 0);
	assert_int_equal(lg_heap_check(copy, 0, stderr), 0);
	lg_heap *other = lg_heap_open(copy, "reserve:1G");
	assert_non_null(other);
	assert_memory_equal(lg_heap_at(other, lg_heap_root_get(other, "first")), first(),
			    sizeof(struct node));
	assert_int_equal(lg_heap_close(other), 0);
	unlink(copy);
}

static void blocks_come_back(void **state)
{
	struct lg_heap_stats before, after;

	(void)state;
	void *large = lg_heap_alloc(heap, 64 << 20);
	assert_non_null(large);
	assert_int_equal(lg_heap_stats_read(heap, &before), 0);
	assert_int_equal(lg_heap_free(heap, large), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_stats_read(heap, &after), 0);
	assert_true(after.punched_bytes >= 64 << 20);
	assert_true(after.disk_bytes < before.disk_bytes);
}

#define SHARED_TEST(test) cmocka_unit_test_setup_teardown(test, shared_setup, shared_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARED_TEST(the_mode_is_the_files),
		SHARED_TEST(what_is_written_stays_without_a_commit),
		SHARED_TEST(words_lead_to_what_stays),
		SHARED_TEST(a_type_says_what_stays),
		SHARED_TEST(types_are_bounded),
		SHARED_TEST(a_machine_that_went_down_is_survived_by_a_repair_alone),
		SHARED_TEST(half_written_entries_are_put_right),
		SHARED_TEST(what_no_kill_leaves_is_refused_and_not_written),
		SHARED_TEST(a_closed_heap_that_is_refused_stays_closed),
		SHARED_TEST(a_snapshot_is_what_there_is),
		SHARED_TEST(blocks_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
