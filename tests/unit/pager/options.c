/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/options.h"

#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>

static struct lg_pager_options pager;
static struct lg_map_options map;

static int forget(void **state)
{
	(void)state;
	memset(&pager, 0x55, sizeof(pager));
	memset(&map, 0x55, sizeof(map));
	return 0;
}

static void defaults_are_those_of_the_manual(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static const char *const texts[] = { NULL, "", "," };

		forget(NULL);
		assert_int_equal(lg_pager_options_parse(texts[i], &pager), 0);
		assert_true(pager.memory == LG_MIB(256));
		assert_true(pager.page == LG_KIB(64));
		assert_string_equal(pager.policy, "clock");
		assert_true(pager.faults == LG_FAULTS_AUTO);
		assert_true(pager.prefetch == 1);
		assert_true(pager.writers == 1);
		assert_true(pager.readers == 4);
		assert_true(pager.flush == 0);
		assert_true(pager.without == 0);
		assert_string_equal(pager.dir, "");
		assert_string_equal(pager.trace, "");
	}
}

static void every_option_of_a_pager_is_set(void **state)
{
	(void)state;
	assert_int_equal(
		lg_pager_options_parse(
			"memory:1M,page:2M,policy:mine,faults:threads,prefetch:off,"
			"writers:16,readers:1,flush:500ms,dir:/d:e,without:move+wp,trace:/t",
			&pager),
		0);
	assert_true(pager.memory == LG_MIB(1));
	assert_true(pager.page == LG_MIB(2));
	assert_string_equal(pager.policy, "mine");
	assert_true(pager.faults == LG_FAULTS_THREADS);
	assert_true(pager.prefetch == 0);
	assert_true(pager.writers == 16);
	assert_true(pager.readers == 1);
	assert_true(pager.flush == 500);
	assert_string_equal(pager.dir, "/d:e");
	assert_true(pager.without == (LG_WITHOUT_MOVE | LG_WITHOUT_WP));
	assert_string_equal(pager.trace, "/t");
	assert_int_equal(lg_pager_options_parse("without:poison,faults:inline", &pager), 0);
	assert_true(pager.without == LG_WITHOUT_POISON);
	assert_true(pager.faults == LG_FAULTS_INLINE);
	assert_true(pager.memory == LG_MIB(256)); /* nothing of the call before */
}

static void bad_value_of_a_pager_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} wrong[] = {
		{ "memory:1023K", "a size from 1M to 64T" },
		{ "memory:65T", "a size from 1M to 64T" },
		{ "page:2K", "a power of two from 4K to 2M" },
		{ "page:96K", "a power of two from 4K to 2M" },
		{ "page:4M", "a power of two from 4K to 2M" },
		{ "faults:thread", "auto, inline or threads" },
		{ "prefetch:1", "off or on" },
		{ "writers:0", "a number from 1 to 16" },
		{ "readers:17", "a number from 1 to 16" },
		{ "flush:5", "a time from 0 to 86400s" },
		{ "without:moves", "move, poison or wp, joined by +" },
		{ "policy:0123456789abcdef0123456789abcdef", "a name of at most 31 bytes" },
		{ "reserve:on", "'reserve' is unknown" },
		{ "offset:0", "'offset' is unknown" },
		{ "memory:2M,readonly:on", "'readonly' is unknown" },
		{ "memory", "has no value" },
	};
	struct lg_pager_options before = pager;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(lg_pager_options_parse(wrong[i].text, &pager), -EINVAL);
		assert_non_null(strstr(lg_error(), wrong[i].words));
		assert_memory_equal(&before, &pager, sizeof(pager));
	}
}

static void map_begins_with_what_its_pager_has(void **state)
{
	(void)state;
	assert_int_equal(lg_pager_options_parse("page:4K,policy:fifo,prefetch:off", &pager), 0);
	assert_int_equal(lg_map_options_parse(NULL, &pager, LG_MAP_FILE, &map), 0);
	assert_true(map.page == LG_KIB(4));
	assert_string_equal(map.policy, "fifo");
	assert_true(map.prefetch == 0);
	assert_true(map.reserve == LG_RESERVE_ON);
	assert_true(map.offset == 0);
	assert_true(map.readonly == 0);
	assert_true(map.create == 1);
	assert_int_equal(lg_map_options_parse("page:8K,policy:lifo,prefetch:on", &pager,
					      LG_MAP_MEMORY, &map),
			 0);
	assert_true(map.page == LG_KIB(8));
	assert_string_equal(map.policy, "lifo");
	assert_true(map.prefetch == 1);
}

static void option_of_a_map_counts_only_where_it_belongs(void **state)
{
	static const struct {
		const char *text;
		unsigned kinds;
	} options[] = {
		{ "page:4K", LG_MAP_ANY },
		{ "policy:plru", LG_MAP_ANY },
		{ "prefetch:off", LG_MAP_ANY },
		{ "reserve:lazy", LG_MAP_MEMORY },
		{ "reserve:on", LG_MAP_MEMORY },
		{ "offset:8K", LG_MAP_FILE },
		{ "readonly:on", LG_MAP_FILE | LG_MAP_STORE },
		{ "create:off", LG_MAP_FILE },
	};

	(void)state;
	assert_int_equal(lg_pager_options_parse(NULL, &pager), 0);
	for (unsigned kind = LG_MAP_MEMORY; kind <= LG_MAP_STORE; kind *= 2) {
		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
			bool good = (options[i].kinds & kind) != 0;

			assert_int_equal(lg_map_options_parse(options[i].text, &pager,
							      (enum lg_map_kind)kind, &map),
					 good ? 0 : -EINVAL);
			if (!good)
				assert_non_null(strstr(lg_error(), "does not have it"));
		}
	}
	assert_int_equal(lg_map_options_parse("offset:0", &pager, LG_MAP_MEMORY, &map), -EINVAL);
	assert_string_equal(lg_error(), "option offset: a map of memory does not have it");
}

static void bad_value_of_a_map_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} wrong[] = {
		{ "offset:1", "not a multiple of 4096" },
		{ "offset:4097", "not a multiple of 4096" },
		{ "offset:8388608T", "a size from 0 to" },
		{ "page:5000", "a power of two from 4K to 2M" },
		{ "reserve:off", "lazy or on" },
		{ "memory:1M", "'memory' is unknown" },
		{ "dir:/d", "'dir' is unknown" },
		{ "page:4K,create", "has no value" },
	};
	struct lg_map_options before = map;

	(void)state;
	assert_int_equal(lg_pager_options_parse(NULL, &pager), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		enum lg_map_kind kind = wrong[i].text[0] == 'r' ? LG_MAP_MEMORY : LG_MAP_FILE;

		assert_int_equal(lg_map_options_parse(wrong[i].text, &pager, kind, &map), -EINVAL);
		assert_non_null(strstr(lg_error(), wrong[i].words));
		assert_memory_equal(&before, &map, sizeof(map));
	}
	assert_int_equal(
		lg_map_options_parse("offset:4K,readonly:on,create:off", &pager, LG_MAP_FILE, &map),
		0);
	assert_true(map.offset == 4096);
	assert_true(map.readonly == 1);
	assert_true(map.create == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_manual),
		TEST(every_option_of_a_pager_is_set),
		TEST(bad_value_of_a_pager_is_refused_and_changes_nothing),
		TEST(map_begins_with_what_its_pager_has),
		TEST(option_of_a_map_counts_only_where_it_belongs),
		TEST(bad_value_of_a_map_is_refused_and_changes_nothing),
	};

	return UNIT_RUN(tests);
}
