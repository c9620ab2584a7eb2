/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/tally.h"
#include "unit/metrics/output.h"

#include <lgalloc/heap.h>
#include <lgalloc/pager.h>

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		lines++;
	return lines;
}

static void an_unused_library_is_a_table_without_classes(void **state)
{
	char *text = output_of(LG_TABLE);

	(void)state;
	assert_int_equal(lines_of(text), 3); /* summary, head, total */
	assert_non_null(strstr(text, lg_version()));
	assert_non_null(strstr(text, "total"));
	free(text);
}

static void each_class_in_use_has_a_line_as_long_as_the_head(void **state)
{
	assert_int_equal(output_prepare(state), 0);
	char *text = output_of(LG_TABLE), *rest = text;
	size_t width = 0;

	assert_int_equal(lines_of(text), 3 + 4);
	assert_non_null(strstr(text, " 4 KiB "));
	assert_non_null(strstr(text, " 1 MiB "));
	assert_non_null(strstr(text, " 2 MiB "));
	assert_non_null(strstr(text, " 64 MiB "));
	(void)strsep(&rest, "\n");
	for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
		assert_true(width == 0 || strlen(line) == width);
		width = strlen(line);
	}
	assert_true(width > 60);
	free(text);
}

static void each_pager_has_a_line_as_long_as_their_head(void **state)
{
	lg_pager *pagers[2] = { lg_pager_new("memory:2M,faults:inline"),
				lg_pager_new("memory:3M,faults:inline") };
	size_t width = 0;

	(void)state;
	if (pagers[0] == NULL || pagers[1] == NULL)
		skip(); /* no userfaultfd */
	char *text = output_of(LG_TABLE), *line = strstr(text, "     pager ");
	assert_non_null(line);
	assert_non_null(strstr(line, " 2 MiB "));
	assert_non_null(strstr(line, " 3 MiB "));
	assert_int_equal(lines_of(line), 3);
	for (char *part; (part = strsep(&line, "\n")) != NULL && part[0] != '\0';) {
		assert_true(width == 0 || strlen(part) == width);
		width = strlen(part);
	}
	free(text);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lg_pager_free(pagers[i]), 0);
}

static void remote_objects_have_a_line_as_long_as_their_head(void **state)
{
	char *text = output_of(LG_TABLE);

	(void)state;
	assert_null(strstr(text, "remote"));
	free(text);
	lg_remote_count(gets, 12);
	lg_remote_count(bytes_fetched, 4 << 20);
	lg_remote_count(bytes_used, 3 << 20);
	lg_remote_count(prefetched, 100);
	lg_remote_count(prefetch_hits, 90);
	lg_times_note(&lg_remote_tally.first_byte_ns, 20000000);
	text = output_of(LG_TABLE);
	char *line = strstr(text, "    remote ");
	assert_non_null(line);
	assert_int_equal(lines_of(line), 2);
	assert_int_equal(strcspn(line, "\n"), strlen(strchr(line, '\n') + 1) - 1);
	assert_non_null(strstr(line, "        12     4 MiB     3 MiB    0.75 "));
	assert_non_null(strstr(line, " 90.0% "));
	assert_non_null(strstr(line, " 33.6 ms ")); /* the bucket's upper bound */
	free(text);
	lg_remote_tally_forget();
}

static void each_heap_has_a_line_below_their_head(void **state)
{
	lg_heap *heaps[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char path[32];

		snprintf(path, sizeof(path), "unit-table-%u.heap", i);
		unlink(path);
		heaps[i] = lg_heap_open(path, "create:on,reserve:1G,journal:1M");
		assert_non_null(heaps[i]);
		unlink(path);
	}
	char *text = output_of(LG_TABLE);
	const char *head = strstr(text, " state  heap\n");
	const char *one = strstr(text, "     ok  unit-table-0.heap\n");
	const char *two = strstr(text, "     ok  unit-table-1.heap\n");
	assert_true(head != NULL && one != NULL && two != NULL && head < one && one < two);
	assert_non_null(strstr(head, " 1 MiB "));
	free(text);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lg_heap_close(heaps[i]), 0);
	text = output_of(LG_TABLE);
	assert_null(strstr(text, "heap"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_library_is_a_table_without_classes),
		cmocka_unit_test(each_class_in_use_has_a_line_as_long_as_the_head),
		cmocka_unit_test(each_pager_has_a_line_as_long_as_their_head),
		cmocka_unit_test(remote_objects_have_a_line_as_long_as_their_head),
		cmocka_unit_test(each_heap_has_a_line_below_their_head),
	};

	return UNIT_RUN(tests);
}
