/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/reading.h"

#include "remote/tally.h"
#include "unit/metrics/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "unit.tool.reading.XXXXXX";
static struct lg_reading reading;

static int make_directory(void **state)
{
	return mkdtemp(directory) != NULL && chdir(directory) == 0 ? output_prepare(state) : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return chdir("..") == 0 ? rmdir(directory) : -1;
}

static int parse(const char *text)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	int error = lg_reading_parse(copy, strlen(text), &reading);
	free(copy);
	return error;
}

static void what_the_library_writes_is_what_it_counts(void **state)
{
	struct lg_stats stats;
	char *text = output_of(LG_OPENMETRICS);
	unsigned classes = 0;

	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_int_equal(lg_reading_parse(text, strlen(text), &reading), 0);
	free(text);
	assert_int_equal(reading.threads, stats.threads);
	assert_int_equal(reading.reserved_bytes, stats.reserved_bytes);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats.classes[i];

		if (class->allocations == 0)
			continue;
		assert_true(classes < reading.class_count);
		assert_memory_equal(&reading.classes[classes], class, sizeof(*class));
		classes++;
	}
	assert_int_equal(classes, reading.class_count);
	assert_int_equal(classes, 4);
	assert_memory_equal(&reading.totals, &stats.totals, sizeof(stats.totals));
}

static void what_a_newer_version_adds_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(parse("# TYPE lgalloc_build_info gauge\n"
			       "lgalloc_build_info{version=\"9.0\",class=\"x\"} 1\n"
			       "lgalloc_latency_seconds_bucket{class=\"4096\",le=\"+Inf\"} NaN\n"
			       "lgalloc_regions{class=\"4096\",state=\"paged\"} -1\n"
			       "lgalloc_regions{class=\"4096\"} 3\n"
			       "lgalloc_regions{class=\"8192\",state=\"dirty\"} 3\n"
			       "lgalloc_frees_total 12\n"
			       "lgalloc_frees_total{class=\"4096\",node=\"0\"} 5\n"
			       "lgalloc_frees_total{class=\"4096\",node=\"1\"} 6.0\n"
			       "go_goroutines 12\n"
			       "# EOF\n"),
			 0);
	assert_int_equal(reading.class_count, 2);
	assert_int_equal(reading.classes[0].size, 4096);
	assert_int_equal(reading.classes[0].frees, 11);
	assert_int_equal(reading.classes[1].dirty, 3);
	assert_int_equal(reading.totals.frees, 11);
}

static void assert_pager(const struct lg_roster_entry *read, lg_pager *pager, const char *name)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_string_equal(read->name, name);
	assert_string_equal(read->policy, "fifo");
	assert_int_equal(read->page_bytes, 16384);
	assert_false(read->in_threads);
	memset(stats.fault_ns, 0, sizeof(stats.fault_ns)); /* which top does not show */
	memset(stats.read_ns, 0, sizeof(stats.read_ns));
	memset(stats.write_ns, 0, sizeof(stats.write_ns));
	stats.fault_ns_sum = stats.read_ns_sum = stats.write_ns_sum = 0;
	assert_memory_equal(&read->stats, &stats, sizeof(stats));
}

/* Calls fault in no signal handler, for which cmocka has its own. */
static void pagers_are_what_they_count(void **state)
{
	static const char options[] = "memory:1M,page:16K,policy:fifo,faults:inline";
	lg_pager *one = lg_pager_new(options), *other = lg_pager_new(options);
	char byte = 1;

	(void)state;
	if (one == NULL && errno == ENOSYS)
		skip();
	lg_map *map = lg_map_memory(one, 100000, NULL);
	assert_non_null(map);
	assert_int_equal(lg_map_write(map, &byte, 1, 50000), 1);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(lg_map_read(map, &byte, 1, 50000), 1);
	assert_int_equal(lg_map_pin(map, 0, 1), 0);
	char *text = output_of(LG_OPENMETRICS);
	assert_int_equal(lg_reading_parse(text, strlen(text), &reading), 0);
	free(text);
	assert_int_equal(reading.pager_count, 2);
	assert_int_equal(reading.pagers_left_out, 0);
	assert_pager(&reading.pagers[0], one, "1");
	assert_pager(&reading.pagers[1], other, "2");
	assert_true(reading.pagers[0].stats.bytes_read > 0);
	assert_int_equal(lg_map_unpin(map, 0, 1), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(one), 0);
	assert_int_equal(lg_pager_free(other), 0);
}

static void remote_objects_are_what_they_count(void **state)
{
	uint64_t count = 1000;

	(void)state;
	assert_int_equal(reading.remote.gets, 0);
#define COUNT(field, name, help) lg_remote_count(field, count++);
	LG_REMOTE_COUNTERS(COUNT)
#undef COUNT
	char *text = output_of(LG_OPENMETRICS);
	assert_int_equal(lg_reading_parse(text, strlen(text), &reading), 0);
	free(text);
	count = 1000;
#define FIELD(field, name, help) assert_int_equal(reading.remote.field, count++);
	LG_REMOTE_COUNTERS(FIELD)
#undef FIELD
	lg_remote_tally_forget();
}

static void pagers_of_other_names_are_counted_and_nothing_more(void **state)
{
	char many[10000] = "";

	(void)state;
	for (unsigned i = 0; i < LG_READING_PAGERS + 5; i++)
		snprintf(many + strlen(many), 100,
			 "lgalloc_pager_info{pager=\"%u\",policy=\"\\u001b[2J\"} 1\n"
			 "lgalloc_pager_faults_total{pager=\"%u\"} %u\n",
			 i, i, i);
	strcat(many, "lgalloc_pager_info{pager=\"\"} 1\n"
		     "lgalloc_pager_info{pager=\"a long name of a pager\"} 1\n"
		     "lgalloc_pager_something{pager=\"9\"} -1\n"
		     "# EOF\n");
	assert_int_equal(parse(many), 0);
	assert_int_equal(reading.pager_count, LG_READING_PAGERS);
	assert_int_equal(reading.pagers_left_out, 7);
	assert_int_equal(reading.pagers[9].stats.faults, 9);
	assert_string_equal(reading.pagers[9].policy, "-"); /* a terminal would take it for more */
	assert_int_equal(reading.pagers[9].page_bytes, 0);
}

static void classes_come_by_size_whatever_the_order(void **state)
{
	(void)state;
	assert_int_equal(parse("lgalloc_areas{class=\"8192\"} 2\n"
			       "lgalloc_areas{class=\"1152921504606846976\"} 3\n"
			       "lgalloc_areas{class=\"4096\"} 1\n"
			       "# EOF\n"),
			 0);
	assert_int_equal(reading.class_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reading.classes[i].areas, i + 1);
}

static void assert_refused(const char *text, const char *words)
{
	if (parse(text) != -EINVAL || strstr(lg_error(), words) == NULL)
		fail_msg("'%s': %s", text, lg_error());
}

static void what_is_no_metrics_file_is_refused_with_the_reason(void **state)
{
	char many[10000] = "";

	(void)state;
	assert_refused("", "line 0: the end of the file without '# EOF'");
	assert_refused("hello\n", "line 1: no space before the value");
	assert_refused("# EOF\n", "no line of it begins with lgalloc_");
	assert_refused("up 1\n# EOF\n", "no line of it begins with lgalloc_");
	assert_refused("lgalloc_threads 1\n", "without '# EOF'");
	assert_refused("lgalloc_threads -1\n# EOF\n", "line 1: a count");
	assert_refused("lgalloc_threads NaN\n# EOF\n", "a count");
	assert_refused("lgalloc_threads 18446744073709551616\n# EOF\n", "a count");
	assert_refused("\nlgalloc_threads 1\n# EOF\n", "line 1");
	assert_refused("lgalloc_pager_maps{pager=\"1\"} -1\n# EOF\n", "a count");
	assert_refused("lgalloc_remote_gets_total 1.5e300\n# EOF\n", "a count");
	assert_refused("lgalloc_areas{class=\"\"} 1\n# EOF\n", "no size");
	assert_refused("lgalloc_areas{class=\"4K\"} 1\n# EOF\n", "no size");
	assert_refused("lgalloc_areas{class=\"99999999999999999999\"} 1\n# EOF\n", "no size");
	for (unsigned i = 0; i < LG_READING_CLASSES + 1; i++)
		snprintf(many + strlen(many), 60, "lgalloc_areas{class=\"%u\"} 1\n", 1000 - i);
	assert_refused(strcat(many, "# EOF\n"), "more classes");
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void file_comes_with_its_time(void **state)
{
	const struct timespec times[2] = { { 1000, 0 }, { 1234567890, 987654321 } };

	(void)state;
	make_file("good.prom", "lgalloc_threads 3\n# EOF\n", 0600);
	assert_int_equal(utimensat(AT_FDCWD, "good.prom", times, 0), 0);
	assert_int_equal(lg_reading_read("good.prom", &reading), 0);
	assert_int_equal(reading.threads, 3);
	assert_int_equal(reading.written_ns, 1234567890987654321);
	assert_int_equal(unlink("good.prom"), 0);
}

static void what_cannot_be_read_says_why(void **state)
{
	(void)state;
	assert_int_equal(lg_reading_read("gone.prom", &reading), -ENOENT);
	assert_non_null(strstr(lg_error(), "No such file"));
	assert_int_equal(lg_reading_read(".", &reading), -EINVAL);
	assert_non_null(strstr(lg_error(), "no regular file"));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(lg_reading_read("fifo", &reading), -EINVAL); /* and it does not wait */
	assert_int_equal(unlink("fifo"), 0);
	make_file("large.prom", "lgalloc_threads 3\n# EOF\n", 0600);
	assert_int_equal(truncate("large.prom", (off_t)1 << 30), 0);
	assert_int_equal(lg_reading_read("large.prom", &reading), -EINVAL);
	assert_non_null(strstr(lg_error(), "far too large"));
	assert_int_equal(unlink("large.prom"), 0);
	if (geteuid() == 0)
		return; /* may read everything */
	make_file("secret.prom", "lgalloc_threads 3\n# EOF\n", 0);
	assert_int_equal(lg_reading_read("secret.prom", &reading), -EACCES);
	assert_non_null(strstr(lg_error(), "Permission denied"));
	assert_int_equal(unlink("secret.prom"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_library_writes_is_what_it_counts),
		cmocka_unit_test(what_a_newer_version_adds_is_passed_over),
		cmocka_unit_test(pagers_are_what_they_count),
		cmocka_unit_test(remote_objects_are_what_they_count),
		cmocka_unit_test(pagers_of_other_names_are_counted_and_nothing_more),
		cmocka_unit_test(classes_come_by_size_whatever_the_order),
		cmocka_unit_test(what_is_no_metrics_file_is_refused_with_the_reason),
		cmocka_unit_test(file_comes_with_its_time),
		cmocka_unit_test(what_cannot_be_read_says_why),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
