/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg_map_read and lg_map_write from one map to another, where pins leave as little as they may. */
#include "unit/pager/shelved.h"

enum { PAGE = 64 << 10, PAGES = 64, PINS = 12, BYTES = 5000 };

static lg_map *other;
static char *there;

static int start(void **state)
{
	int result = shelved_start("memory:1M,page:64K,faults:inline,prefetch:off", &shelf_ops,
				   (size_t)PAGES * PAGE);

	(void)state;
	if (result != 0)
		return result;
	other = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	there = lg_map_data(other);
	return other != NULL ? 0 : -1;
}

static int end(void **state)
{
	return lg_map_close(other) != 0 || shelved_end(state) != 0;
}

/* Pages that were just touched stay a while, and take what there is beside pins. */
static void touch(size_t page)
{
	for (size_t i = page; i < page + 3; i++)
		assert_int_equal(((volatile char *)data)[i * PAGE], shelf_byte(i * PAGE));
}

static void claim_copied(size_t from, size_t to)
{
	for (size_t i = 0; i < BYTES; i++)
		if (there[to + i] != shelf_byte(from + i))
			fail_msg("byte %zu of the copy from %zu to %zu", i, from, to);
}

static void copies_between_maps_need_no_more_than_pins_leave(void **state)
{
	(void)state;
	for (size_t i = 0; i < PINS; i++)
		assert_int_equal(lg_map_pin(map, i * PAGE, PAGE), 0);
	for (size_t i = 0; i < 3 * PAGES; i++) {
		size_t page = PINS + 3 + i % (PAGES - PINS - 7);
		size_t from = page * PAGE + PAGE - 1000, to = i * 7 % (PAGES - 1) * PAGE + 70;

		touch(page);
		assert_int_equal(lg_map_read(map, there + to, BYTES, from), BYTES);
		claim_copied(from, to);
		memset(there + to, 0, BYTES);
		touch(page);
		assert_int_equal(lg_map_write(other, data + from, BYTES, to), BYTES);
		claim_copied(from, to);
	}
	assert_int_equal(lg_map_unpin(map, 0, (size_t)PINS * PAGE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_between_maps_need_no_more_than_pins_leave,
						start, end),
	};

	return UNIT_RUN(tests);
}
