/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "metrics/heaps.h"
#include "remote/tally.h"
#include "unit/metrics/output.h"

#include <lgalloc/heap.h>
#include <lgalloc/pager.h>

#include <inttypes.h>
#include <stdio.h>

/* The least of a parser: values are numbers, strings without escapes, lists and objects. */
static const char *skip_value(const char *text);

static const char *skip_string(const char *text)
{
	assert_int_equal(*text, '"');
	text = strchr(text + 1, '"');
	assert_non_null(text);
	return text + 1;
}

static const char *skip_members(const char *text, char end, bool named)
{
	if (*text == end) /* a list of nothing */
		return text + 1;
	for (;;) {
		if (named) {
			text = skip_string(text);
			assert_int_equal(*text++, ':');
		}
		text = skip_value(text);
		if (*text == end)
			return text + 1;
		assert_int_equal(*text++, ',');
	}
}

static const char *skip_value(const char *text)
{
	if (*text == '{')
		return skip_members(text + 1, '}', true);
	if (*text == '[')
		return skip_members(text + 1, ']', false);
	if (*text == '"')
		return skip_string(text);
	size_t digits = strspn(text, "0123456789.");
	assert_true(digits > 0);
	return text + digits;
}

static void output_is_one_object(void **state)
{
	char *text = output_of(LG_JSON);

	(void)state;
	assert_int_equal(*text, '{');
	assert_string_equal(skip_value(text), "\n");
	free(text);
}

static void python_reads_it_too(void **state)
{
	char *text = output_of(LG_JSON);
	FILE *python;

	(void)state;
	if (system("python3 -c '' >/dev/null 2>&1") != 0)
		skip();
	python = popen(
		"python3 -c 'import json, sys\n"
		"data = json.load(sys.stdin)\n"
		"assert len(data[\"classes\"]) == 25\n"
		"for name in data[\"totals\"]:\n"
		"    if name != \"size\":\n"
		"        assert data[\"totals\"][name] == sum(c[name] for c in data[\"classes\"]), name\n"
		"'",
		"we");
	assert_non_null(python);
	assert_true(fputs(text, python) >= 0);
	assert_int_equal(pclose(python), 0);
	free(text);
}

static void every_field_of_every_class_is_there_with_its_value(void **state)
{
	struct lg_stats stats;
	char *text = output_of(LG_JSON), expected[128];
	const char *at;

	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	at = strstr(text, "\"totals\":");
	assert_non_null(at);
	for (unsigned i = 0; i <= LG_CLASSES; i++) {
		const struct lg_class_stats *class = i == 0 ? &stats.totals : &stats.classes[i - 1];

		snprintf(expected, sizeof(expected), "{\"size\":%" PRIu64, class->size);
		at = strstr(at, expected);
		assert_non_null(at);
#define FIELD(name, kind, help)                                                                    \
	snprintf(expected, sizeof(expected), ",\"" #name "\":%" PRIu64, class->name);              \
	at = strstr(at, expected);                                                                 \
	assert_non_null(at);                                                                       \
	assert_true(strchr(",}", at[strlen(expected)]) != NULL);
		LG_CLASS_FIELDS(FIELD)
#undef FIELD
	}
	free(text);
}

static void every_field_of_a_pager_is_there_with_its_value(void **state)
{
	struct lg_pager_stats stats;
	char expected[128];
	lg_pager *pager = lg_pager_new("memory:1M,page:4K,dir:.,faults:inline");
	lg_map *map = pager != NULL ? lg_map_memory(pager, 1 << 20, NULL) : NULL;

	(void)state;
	if (map == NULL)
		skip(); /* no userfaultfd */
	memset(lg_map_data(map), 1, 64 << 10);
	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	char *text = output_of(LG_JSON),
	     *at = strstr(text, ",\"pagers\":[{\"name\":\"1\",\"policy\":\"clock\"");
	assert_string_equal(skip_value(text), "\n");
	assert_non_null(at);
	assert_true(stats.faults > 0);
#define FIELD(name, what)                                                                          \
	snprintf(expected, sizeof(expected), ",\"" #name "\":%" PRIu64 ",", stats.name);           \
	assert_non_null(strstr(at, expected));
	LG_PAGER_COUNTERS(FIELD)
#undef FIELD
	assert_non_null(strstr(at, "\"fault_ns\":{\"sum_ns\":"));
	free(text);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	text = output_of(LG_JSON);
	assert_non_null(strstr(text, ",\"pagers\":[],"));
	free(text);
}

static void every_field_of_remote_objects_is_there_with_its_value(void **state)
{
	char expected[128];
	uint64_t count = 1000;

	(void)state;
#define COUNT(field, name, help) lg_remote_count(field, count++);
	LG_REMOTE_COUNTERS(COUNT)
#undef COUNT
	lg_times_note(&lg_remote_tally.first_byte_ns, 2);
	char *text = output_of(LG_JSON), *at = strstr(text, ",\"remote\":{\"used_share\":1.001,");
	assert_string_equal(skip_value(text), "\n");
	assert_non_null(at);
	count = 1000;
#define FIELD(field, name, help)                                                                   \
	snprintf(expected, sizeof(expected), ",\"" #field "\":%" PRIu64 ",", count++);             \
	assert_non_null(strstr(at, expected));
	LG_REMOTE_COUNTERS(FIELD)
#undef FIELD
	assert_non_null(strstr(at, ",\"first_byte_ns\":{\"sum_ns\":2,\"buckets\":[0,1,0,"));
	assert_non_null(strstr(at, ",\"fault_ns\":{\"sum_ns\":0,\"buckets\":[0,"));
	free(text);
	lg_remote_tally_forget();
}

static void every_field_of_a_heap_is_there_with_its_value(void **state)
{
	struct lg_heap_stats stats;
	char expected[128];

	(void)state;
	unlink("unit metrics.heap");
	lg_heap *heap = lg_heap_open("unit metrics.heap", "create:on,reserve:1G,journal:1M");
	assert_non_null(heap);
	assert_non_null(lg_heap_alloc(heap, 100000));
	assert_int_equal(lg_heap_commit(heap), 0);
	char *text, *at;
	do { /* until a checkpoint rests */
		assert_int_equal(lg_heap_stats_read(heap, &stats), 0);
		text = output_of(LG_JSON);
		snprintf(expected, sizeof(expected), ",\"pages_home\":%" PRIu64 ",",
			 stats.pages_home);
		at = strstr(text, expected);
		if (at == NULL)
			free(text);
	} while (at == NULL);
	at = strstr(text, ",\"heaps\":[{\"name\":\"unit_metrics.heap\",\"mode\":\"atomic\","
			  "\"readonly\":0,\"failed\":0");
	assert_string_equal(skip_value(text), "\n");
	assert_non_null(at);
	assert_int_equal(stats.commits, 1);
#define FIELD(field, name, what)                                                                   \
	snprintf(expected, sizeof(expected), ",\"" #field "\":%" PRIu64, stats.field);             \
	at = strstr(at, expected);                                                                 \
	assert_non_null(at);                                                                       \
	assert_true(strchr(",}", at[strlen(expected)]) != NULL);
	LG_HEAP_GAUGES(FIELD)
	LG_HEAP_COUNTERS(FIELD)
#undef FIELD
	free(text);
	assert_int_equal(lg_heap_close(heap), 0);
	unlink("unit metrics.heap");
	text = output_of(LG_JSON);
	assert_non_null(strstr(text, ",\"heaps\":[]}"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_one_object),
		cmocka_unit_test(python_reads_it_too),
		cmocka_unit_test(every_field_of_every_class_is_there_with_its_value),
		cmocka_unit_test(every_field_of_a_pager_is_there_with_its_value),
		cmocka_unit_test(every_field_of_remote_objects_is_there_with_its_value),
		cmocka_unit_test(every_field_of_a_heap_is_there_with_its_value),
	};

	return cmocka_run_group_tests(tests, output_prepare, NULL);
}
