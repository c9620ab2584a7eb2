/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Servers: four faults at a time of a map, none in the way of who closes another, and always one for those whose store is there. */
#include "pager/pager.h"
#include "pager/trace.h"
#include "stress/clock.h"
#include "unit/pager/second.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE = 16384, PAGES = 64, WAITING = 8 };

/* Reads wait: for the gate to be open; those that come later until so many are there as can be served at a time. */
static atomic_bool gate_is_open;
static atomic_uint inside, later;

static ssize_t read_together(void *context, void *buffer, size_t length, uint64_t offset)
{
	if (atomic_load(&gate_is_open)) {
		atomic_fetch_add(&later, 1); /* who waits here is not counted twice */
		while (atomic_load(&later) < LG_SERVERS)
			clock_breathe();
	}
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&gate_is_open))
		clock_breathe();
	return shelf_read(context, buffer, length, offset);
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.read = read_together;
	atomic_store(&gate_is_open, false);
	atomic_store(&inside, 0);
	atomic_store(&later, 0);
	int result = shelved_start("memory:2M,page:16K,prefetch:off,faults:threads", &ops,
				   (size_t)PAGES * PAGE);
	if (result != 0 && errno == EPERM)
		exit(UNIT_SKIPPED);
	return result;
}

struct toucher {
	pthread_t thread;
	atomic_int id;
	const volatile char *bytes;
	size_t at;
};

static void *touch(void *argument)
{
	struct toucher *toucher = argument;
	atomic_store(&toucher->id, gettid());
	return toucher->bytes[toucher->at] == shelf_byte(toucher->at) ? toucher : NULL;
}

static void begin_in(struct toucher *toucher, const char *bytes, size_t at)
{
	toucher->bytes = bytes;
	toucher->at = at;
	atomic_store(&toucher->id, 0);
	assert_int_equal(pthread_create(&toucher->thread, NULL, touch, toucher), 0);
}

static void begin(struct toucher *toucher, size_t page)
{
	begin_in(toucher, data, page * PAGE);
}

static void end(struct toucher *toucher)
{
	void *result;

	assert_int_equal(pthread_join(toucher->thread, &result), 0);
	assert_ptr_equal(result, toucher);
}

/* After its id there is nothing that it could sleep in, but the page. */
static void await_asleep(struct toucher *toucher)
{
	char path[64], text[256], *end_of_name = NULL;

	do {
		clock_breathe();
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&toucher->id));
		FILE *file = fopen(path, "r");
		if (file == NULL)
			continue;
		end_of_name = fgets(text, sizeof(text), file) != NULL ? strrchr(text, ')') : NULL;
		fclose(file);
	} while (end_of_name == NULL || (end_of_name[2] != 'S' && end_of_name[2] != 'D'));
}

static void faults_that_wait_together_are_served_by_all_servers(void **state)
{
	struct toucher first[LG_SERVERS], next[WAITING];

	(void)state;
	for (size_t i = 0; i < LG_SERVERS; i++) {
		begin(&first[i], i);
		while (atomic_load(&inside) <= i)
			clock_breathe();
	}
	for (size_t i = 0; i < WAITING; i++) {
		begin(&next[i], LG_SERVERS + i);
		await_asleep(&next[i]);
	}
	atomic_store(&gate_is_open, true);
	for (size_t i = 0; i < LG_SERVERS; i++)
		end(&first[i]);
	for (size_t i = 0; i < WAITING; i++)
		end(&next[i]);
	assert_int_equal(atomic_load(&later), WAITING);
}

/* By its parts, which fault apart; the kernel has the messages in their order. */
static void page_has_one_server(void **state)
{
	enum { PARTS = 4, PART = PAGE / PARTS };
	struct toucher parts[PARTS], others[LG_SERVERS - 1];

	(void)state;
	atomic_store(&later, LG_SERVERS); /* none waits for others */
	for (size_t i = 0; i < PARTS; i++) {
		begin_in(&parts[i], data, i * PART);
		await_asleep(&parts[i]);
	}
	for (size_t i = 0; i < LG_SERVERS - 1; i++)
		begin(&others[i], i + 1);
	while (atomic_load(&inside) < LG_SERVERS)
		clock_breathe();
	atomic_store(&gate_is_open, true);
	for (size_t i = 0; i < PARTS; i++)
		end(&parts[i]);
	for (size_t i = 0; i < LG_SERVERS - 1; i++)
		end(&others[i]);
}

/* Two stores do not come back, to more who touch their pages than there are servers. */
static void last_server_is_left_to_others(void **state)
{
	struct toucher first[WAITING], next[WAITING];
	struct second second;

	(void)state;
	second_make(&second, &shelf_ops, (size_t)PAGES * PAGE, NULL);
	atomic_store(&second.shelf.holds_reads, true);
	lg_map *memory = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	assert_non_null(memory);
	for (size_t i = 0; i < WAITING; i++) {
		begin(&first[i], i);
		begin_in(&next[i], lg_map_data(second.map), i * PAGE);
		await_asleep(&first[i]);
		await_asleep(&next[i]);
	}
	for (size_t page = 0; page < PAGES; page++)
		((volatile char *)lg_map_data(memory))[page * PAGE] = 'o';
	assert_in_range(atomic_load(&inside), 1, LG_SERVERS);
	assert_in_range(atomic_load(&second.shelf.held), 1, LG_SERVERS);
	assert_int_equal(lg_map_close(memory), 0);
	atomic_store(&later, LG_SERVERS); /* none waits for others */
	atomic_store(&second.shelf.holds_reads, false);
	atomic_store(&gate_is_open, true);
	for (size_t i = 0; i < WAITING; i++) {
		end(&first[i]);
		end(&next[i]);
	}
	assert_int_equal(second_end(&second), 0);
}

static void closing_a_map_waits_for_no_other_maps_store(void **state)
{
	struct toucher toucher;

	(void)state;
	lg_map *other = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	assert_non_null(other);
	((char *)lg_map_data(other))[0] = 'o';
	begin(&toucher, 0);
	while (atomic_load(&inside) == 0)
		clock_breathe();
	assert_int_equal(lg_map_close(other), 0);
	assert_int_equal(atomic_load(&inside), 1);
	atomic_store(&gate_is_open, true);
	end(&toucher);
}

/* Its uses of pages, by this thread and by no server; how many. */
static unsigned claim_uses_of(const char *path, uint32_t thread)
{
	struct lg_trace_header header;
	struct lg_trace_record record;
	unsigned uses = 0;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
	while (fread(&record, sizeof(record), 1, file) == 1) {
		if (record.kind > LG_TRACE_LIMBO_WRITE)
			continue;
		assert_int_equal(record.thread, thread);
		uses++;
	}
	fclose(file);
	return uses;
}

static void trace_has_the_threads_that_touched(void **state)
{
	char path[] = "server-XXXXXX", options[128];

	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(options, sizeof(options),
		 "memory:2M,page:16K,prefetch:off,faults:threads,trace:%s", path);
	lg_pager *traced = lg_pager_new(options);
	assert_non_null(traced);
	lg_map *memory = lg_map_memory(traced, (size_t)PAGES * PAGE, NULL);
	assert_non_null(memory);
	for (size_t page = 0; page < PAGES; page++)
		((volatile char *)lg_map_data(memory))[page * PAGE];
	assert_int_equal(lg_map_close(memory), 0);
	assert_int_equal(lg_pager_free(traced), 0);
	assert_true(claim_uses_of(path, (uint32_t)gettid()) >= PAGES);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(faults_that_wait_together_are_served_by_all_servers),
		TEST(page_has_one_server),
		TEST(last_server_is_left_to_others),
		TEST(closing_a_map_waits_for_no_other_maps_store),
		cmocka_unit_test(trace_has_the_threads_that_touched),
	};

	alarm((unsigned)clock_hang_seconds());
	return UNIT_RUN(tests);
}
