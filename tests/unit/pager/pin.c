/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Pins, and copies, which pin for a moment. */
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "stress/shelf.h"

#include <lgalloc/pager.h>
#include <pthread.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { PAGE = 4096 };

static lg_pager *pager;
static lg_map *map;
static char *data;

static int start_with(const char *options)
{
	pager = lg_pager_new(options);
	map = pager != NULL ? lg_map_memory(pager, 8 * MIB, NULL) : NULL;
	data = map != NULL ? lg_map_data(map) : NULL;
	return map != NULL ? 0 : -1;
}

static int start(void **state)
{
	(void)state;
	return start_with("memory:2M,page:4K,policy:fifo,faults:inline");
}

static int start_lifo(void **state)
{
	(void)state;
	return start_with("memory:2M,page:4K,policy:lifo,faults:inline");
}

static int end(void **state)
{
	(void)state;
	return lg_map_close(map) != 0 || lg_pager_free(pager) != 0;
}

static struct lg_pager_stats stats_now(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_true(stats.resident <= stats.budget);
	return stats;
}

/* More than the budget goes through memory. */
static void press(size_t from)
{
	for (size_t i = from; i < 8 * MIB; i += PAGE)
		data[i] = 1;
}

/* What the kernel is given has to be there and writable. */
static bool kernel_can_write(char *at)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "k", 1), 1);
	ssize_t got = read(ends[0], at, 1);
	close(ends[0]);
	close(ends[1]);
	return got == 1;
}

static void pinned_pages_stay_and_can_be_given_to_the_kernel(void **state)
{
	(void)state;
	assert_false(kernel_can_write(data)); /* or this test shows nothing */
	assert_int_equal(lg_map_pin(map, 0, 256 * KIB), 0);
	assert_int_equal(stats_now().pinned, 256 * KIB);
	press(256 * KIB);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	for (size_t i = 0; i < 256 * KIB; i += PAGE)
		assert_true(kernel_can_write(data + i));
	assert_int_equal(lg_map_unpin(map, 0, 256 * KIB), 0);
	assert_int_equal(stats_now().pinned, 0);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_false(kernel_can_write(data));
	assert_int_equal(data[5 * PAGE], 'k');
}

static void pins_nest_and_each_is_undone_once(void **state)
{
	(void)state;
	assert_int_equal(lg_map_unpin(map, 0, 1), -EINVAL);
	assert_non_null(strstr(lg_error(), "not pinned"));
	assert_int_equal(lg_map_pin(map, 0, 3 * PAGE), 0);
	assert_int_equal(lg_map_pin(map, PAGE, PAGE), 0);
	assert_int_equal(stats_now().pinned, 3 * PAGE);
	assert_int_equal(lg_map_unpin(map, 0, 3 * PAGE), 0);
	assert_int_equal(stats_now().pinned, PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_true(kernel_can_write(data + PAGE));
	assert_false(kernel_can_write(data));
	assert_int_equal(lg_map_unpin(map, PAGE, PAGE), 0);
	assert_int_equal(lg_map_unpin(map, PAGE, PAGE), -EINVAL);
	assert_int_equal(stats_now().pinned, 0);
}

static void page_is_pinned_4095_times_and_no_more(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4095; i++)
		assert_int_equal(lg_map_pin(map, 100, 1), 0);
	assert_int_equal(lg_map_pin(map, 100, 1), -EOVERFLOW);
	assert_int_equal(stats_now().pinned, PAGE);
	assert_int_equal(lg_map_read(map, &(char){ 0 }, 1, 100), 1); /* has its own */
	for (unsigned i = 0; i < 4095; i++)
		assert_int_equal(lg_map_unpin(map, 100, 1), 0);
	assert_int_equal(lg_map_unpin(map, 100, 1), -EINVAL);
	assert_int_equal(stats_now().pinned, 0);
}

static void too_many_pins_pin_nothing(void **state)
{
	const size_t most = 2 * MIB - 2 * MIB / 8;

	(void)state;
	assert_int_equal(lg_map_pin(map, 0, 0), -ENOMEM);
	assert_non_null(strstr(lg_error(), "pinned"));
	assert_int_equal(stats_now().pinned, 0);
	assert_int_equal(lg_map_unpin(map, 0, 1), -EINVAL);
	assert_int_equal(lg_map_pin(map, 0, most), 0);
	assert_int_equal(lg_map_pin(map, most, 1), -ENOMEM);
	assert_int_equal(lg_map_pin(map, 0, most), 0); /* nested: it needs no more memory */
	press(most);                                   /* and the rest is enough to live on */
	assert_int_equal(lg_map_unpin(map, 0, most), 0);
	assert_int_equal(lg_map_unpin(map, 0, most), 0);
}

/* The first, or the last, that came into memory are all pinned: what came between has to be found. */
static void many_pinned_pages_do_not_hide_the_others(void **state)
{
	(void)state;
	assert_int_equal(lg_map_pin(map, 0, MIB), 0);
	press(MIB);
	assert_int_equal(lg_map_unpin(map, 0, MIB), 0);
	press(0);
	for (size_t i = 0; i < 300 * PAGE; i += PAGE)
		data[i] = 2;
	assert_int_equal(lg_map_pin(map, 0, 300 * PAGE), 0);
	press(300 * PAGE);
	assert_int_equal(lg_map_unpin(map, 0, 300 * PAGE), 0);
	press(0); /* unpinned pages leave again */
	assert_true(stats_now().evictions > 4096);
}

static void dead_spares_what_is_pinned(void **state)
{
	(void)state;
	memset(data, 'x', 4 * PAGE);
	assert_int_equal(lg_map_pin(map, PAGE, 1), 0);
	assert_int_equal(lg_map_advise(map, 0, 4 * PAGE, LG_DEAD), 0);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[PAGE], 'x');
	assert_int_equal(data[2 * PAGE], 0);
	assert_int_equal(lg_map_unpin(map, PAGE, 1), 0);
}

static void map_that_closes_takes_its_pins_along(void **state)
{
	lg_map *other = lg_map_memory(pager, MIB, NULL);

	(void)state;
	assert_non_null(other);
	assert_int_equal(lg_map_pin(map, 0, 3 * PAGE), 0);
	assert_int_equal(lg_map_pin(other, 0, MIB), 0);
	assert_int_equal(lg_map_pin(other, 0, PAGE), 0); /* counted once */
	assert_int_equal(stats_now().pinned, MIB + 3 * PAGE);
	assert_int_equal(lg_map_close(other), 0);
	assert_int_equal(stats_now().pinned, 3 * PAGE);
	assert_int_equal(lg_map_unpin(map, 0, 3 * PAGE), 0);
}

static void synced_pinned_page_is_stored_and_stays_writable_for_the_kernel(void **state)
{
	struct shelf shelf;
	lg_map *other;
	char *at;

	(void)state;
	shelf_make(&shelf, 64 * KIB);
	other = lg_map_store(pager, &shelf_ops, &shelf, 64 * KIB, NULL);
	assert_non_null(other);
	at = lg_map_data(other);
	assert_int_equal(lg_map_pin(other, 0, PAGE), 0);
	for (char value = 'a'; value < 'e'; value++) {
		at[7] = value;
		assert_int_equal(lg_map_sync(other, 0, 0), 0);
		assert_int_equal(shelf.bytes[7], value);
		assert_true(kernel_can_write(at + 9));
	}
	assert_int_equal(lg_map_unpin(other, 0, PAGE), 0);
	assert_int_equal(lg_map_sync(other, 0, 0), 0);
	assert_int_equal(shelf.bytes[9], 'k');
	assert_int_equal(lg_map_close(other), 0);
	shelf_end(&shelf);
}

enum { TURNS = 3000 };

static void *copy(void *argument)
{
	char bytes[100];

	(void)argument;
	for (unsigned i = 0; i < TURNS; i++)
		if (lg_map_read(map, bytes, sizeof(bytes), i % 8 * PAGE) != sizeof(bytes))
			return map;
	return NULL;
}

static void *pin_and_unpin(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < TURNS; i++)
		if (lg_map_pin(map, i % 8 * PAGE, 1) != 0 ||
		    lg_map_unpin(map, i % 8 * PAGE, 1) != 0)
			return map;
	return NULL;
}

/* The library's own pins are not counted, whoever comes and goes first. */
static void copies_do_not_disturb_the_count_of_pins(void **state)
{
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, i < 2 ? copy : pin_and_unpin, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(stats_now().pinned, 0);
}

static void *copy_one(void *argument)
{
	char byte;

	(void)argument;
	for (unsigned i = 0; i < 200; i++)
		if (lg_map_read(map, &byte, 1, 10) != 1)
			return map;
	return NULL;
}

/* More at a time than a word can count. */
static void copies_of_one_page_may_be_many_at_once(void **state)
{
	pthread_t threads[64];
	void *failed;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, copy_one, NULL), 0);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_false(kernel_can_write(data)); /* none of them was left behind */
}

static void *pin_again_and_again(void *unused)
{
	enum { TIMES = 20000 };
	intptr_t refused = 0;

	(void)unused;
	for (int i = 0; i < TIMES; i++) {
		if (lg_map_pin(map, 0, PAGE) == 0)
			assert_int_equal(lg_map_unpin(map, 0, PAGE), 0);
		else
			refused++;
	}
	return (void *)refused;
}

/* W3: it is within the limit, whoever else pins it. */
static void page_that_is_unpinned_can_be_pinned_at_the_limit(void **state)
{
	pthread_t threads[2];
	size_t most = 0;
	void *refused;

	(void)state;
	while (lg_map_pin(map, most, PAGE) == 0)
		most += PAGE;
	assert_true(most > PAGE);
	assert_int_equal(lg_map_unpin(map, 0, PAGE), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pin_again_and_again, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &refused), 0);
		assert_null(refused);
	}
	assert_int_equal(stats_now().pinned, most - PAGE);
	assert_int_equal(lg_map_unpin(map, PAGE, most - PAGE), 0);
	assert_int_equal(stats_now().pinned, 0);
}

static void copies_go_across_pages_and_end_with_the_map(void **state)
{
	static char in[40000], out[40000];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = shelf_byte(i);
	assert_int_equal(lg_map_write(map, in, sizeof(in), 4000), sizeof(in));
	press(MIB);
	assert_int_equal(lg_map_read(map, out, sizeof(out), 4000), sizeof(out));
	assert_memory_equal(in, out, sizeof(in));
	assert_memory_equal(in, data + 4000, sizeof(in));
	assert_int_equal(lg_map_write(map, in, 100, 8 * MIB - 60), 60);
	assert_int_equal(lg_map_read(map, out, 100, 8 * MIB - 60), 60);
	assert_memory_equal(in, out, 60);
	assert_int_equal(lg_map_read(map, out, 0, 0), 0);
}

static ssize_t refuse_write(void *context, const void *buffer, size_t length, uint64_t offset)
{
	(void)context;
	(void)buffer;
	(void)length;
	(void)offset;
	return -ENOMEM;
}

/* Not of the limit of pins, which is the same errno. */
static void page_that_finds_no_room_says_so(void **state)
{
	struct lg_store_ops ops = shelf_ops;
	struct shelf shelf;
	lg_map *full;
	size_t at = 0;

	(void)state;
	ops.write = refuse_write;
	shelf_make(&shelf, 4 * MIB);
	full = lg_map_store(pager, &ops, &shelf, shelf.length, NULL);
	assert_non_null(full);
	for (char differs = (char)~shelf_byte(0); lg_map_write(full, &differs, 1, at) == 1;
	     differs = (char)~shelf_byte(at))
		at += PAGE;
	assert_true(at < 4 * MIB - PAGE);
	assert_int_equal(lg_map_pin(full, 4 * MIB - PAGE, PAGE), -ENOMEM);
	assert_non_null(strstr(lg_error(), "cannot be written"));
	assert_int_equal(lg_map_populate(full, 4 * MIB - PAGE, PAGE), -ENOMEM);
	assert_int_equal(lg_map_close(full), -ENOMEM);
	shelf_end(&shelf);
}

static int start_alone(void **state)
{
	(void)state;
	return start_with("memory:1M,page:4K,faults:inline,prefetch:off");
}

/* What tables take is room as well: of a map that was touched here and there they are as large as this budget. */
static void touches_go_on_beside_all_pins_there_can_be(void **state)
{
	enum { TRACTS = 1024, TRACT_SHIFT = 21, OTHERS = 64 };
	lg_map *large = lg_map_memory(pager, (size_t)TRACTS << TRACT_SHIFT, "reserve:lazy");
	volatile char *sparse = lg_map_data(large);
	size_t pinned = 0;

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < TRACTS; i++)
		assert_int_equal(sparse[i << TRACT_SHIFT], 0);
	while (lg_map_pin(map, pinned * PAGE, PAGE) == 0)
		pinned++;
	assert_true(pinned * PAGE >= MIB / 2);
	for (size_t i = 0; i < OTHERS; i++)
		((volatile char *)data)[(pinned + i) * PAGE] = (char)i;
	for (size_t i = 0; i < OTHERS; i++)
		assert_int_equal(data[(pinned + i) * PAGE], (char)i);
	assert_int_equal(lg_map_unpin(map, 0, pinned * PAGE), 0);
	assert_int_equal(lg_map_close(large), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(pinned_pages_stay_and_can_be_given_to_the_kernel),
		TEST(pins_nest_and_each_is_undone_once),
		TEST(page_is_pinned_4095_times_and_no_more),
		TEST(too_many_pins_pin_nothing),
		TEST(many_pinned_pages_do_not_hide_the_others),
		cmocka_unit_test_setup_teardown(many_pinned_pages_do_not_hide_the_others,
						start_lifo, end),
		TEST(dead_spares_what_is_pinned),
		TEST(map_that_closes_takes_its_pins_along),
		TEST(synced_pinned_page_is_stored_and_stays_writable_for_the_kernel),
		TEST(copies_do_not_disturb_the_count_of_pins),
		TEST(copies_of_one_page_may_be_many_at_once),
		TEST(page_that_is_unpinned_can_be_pinned_at_the_limit),
		TEST(copies_go_across_pages_and_end_with_the_map),
		TEST(page_that_finds_no_room_says_so),
		cmocka_unit_test_setup_teardown(touches_go_on_beside_all_pins_there_can_be,
						start_alone, end),
	};

	return UNIT_RUN(tests);
}
