/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Both texts as a collector reads them: families in one piece, each with HELP and TYPE, values that are
 * ours. What Prometheus' own parsers say of them is an integration test.
 */
#include "metrics/writer.h"

#include "metrics/heaps.h"
#include "remote/tally.h"
#include "unit/metrics/output.h"

#include <lgalloc/heap.h>
#include <lgalloc/pager.h>

#include <errno.h>
#include <inttypes.h>
#include <time.h>

enum { FAMILIES_MAX = 128, NAME_BYTES = 64 };

struct family {
	char name[NAME_BYTES];
	char type[16];
	bool has_help;
	unsigned samples;
};

static struct family families[FAMILIES_MAX];
static unsigned family_count;
static char *text;
static enum lg_format dialect;

static struct family *find(const char *name)
{
	for (unsigned i = 0; i < family_count; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	return NULL;
}

static void read_comment(const char *line)
{
	char what[8], name[NAME_BYTES], rest[16];

	assert_int_equal(sscanf(line, "# %7s %63s %15s", what, name, rest), 3);
	if (strcmp(what, "HELP") == 0) {
		assert_null(find(name)); /* each family once, in one piece */
		assert_true(family_count < FAMILIES_MAX);
		struct family *family = &families[family_count++];
		strcpy(family->name, name);
		family->has_help = true;
		return;
	}
	struct family *family = find(name);
	if (strcmp(what, "UNIT") == 0) {
		size_t unit = strlen(rest), length = strlen(name);

		assert_int_equal(dialect, LG_OPENMETRICS);
		assert_true(length > unit && strcmp(name + length - unit, rest) == 0);
		assert_true(family != NULL && family->type[0] != '\0');
		return;
	}
	assert_string_equal(what, "TYPE");
	assert_ptr_equal(family, &families[family_count - 1]); /* right after its HELP */
	strcpy(family->type, rest);
	assert_true(strcmp(rest, "gauge") == 0 || strcmp(rest, "counter") == 0 ||
		    strcmp(rest, "histogram") == 0);
}

static void read_sample(const char *line)
{
	char name[NAME_BYTES];
	size_t length = strcspn(line, "{ ");
	const char *value = strrchr(line, ' ');

	assert_in_range(length, 1, NAME_BYTES - 1);
	memcpy(name, line, length);
	name[length] = '\0';
	assert_int_equal(strncmp(name, "lgalloc_", 8), 0);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), length);
	struct family *family = &families[family_count - 1];
	bool counts = strcmp(family->type, "counter") == 0;
	if (counts && dialect == LG_OPENMETRICS) {
		assert_string_equal(name + length - 6, "_total");
		name[length - 6] = '\0';
	}
	if (strcmp(family->type, "histogram") == 0) { /* its name and one of three ends */
		size_t own = strlen(family->name);

		assert_true(strcmp(name + own, "_bucket") == 0 || strcmp(name + own, "_sum") == 0 ||
			    strcmp(name + own, "_count") == 0);
		name[own] = '\0';
	}
	assert_ptr_equal(find(name), family);
	family->samples++;
	assert_true(strlen(value + 1) > 0);
	assert_int_equal(strspn(value + 1, "0123456789."), strlen(value + 1));
	assert_true(strchr(value + 1, '.') == NULL || strstr(name, "_seconds") != NULL);
	if (line[length] == '{') {
		const char *end = strchr(line, '}');

		assert_non_null(end);
		assert_ptr_equal(end + 1, value);
		assert_int_equal(end[-1], '"');
	}
}

static void read_all(const char *whole)
{
	char *copy = strdup(whole), *rest = copy;
	bool ended = false;

	family_count = 0;
	memset(families, 0, sizeof(families));
	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '\0') {
			assert_null(rest); /* only behind the last line */
			continue;
		}
		assert_false(ended);
		ended = strcmp(line, "# EOF") == 0;
		if (line[0] == '#' && !ended)
			read_comment(line);
		else if (!ended)
			read_sample(line);
	}
	assert_true(ended);
	assert_true(family_count > 20);
	for (unsigned i = 0; i < family_count; i++) {
		bool total = strstr(families[i].name, "_total") != NULL;

		assert_true(families[i].has_help && families[i].type[0] != '\0');
		assert_true(families[i].samples > 0);
		assert_int_equal(total, dialect == LG_PROMETHEUS &&
						strcmp(families[i].type, "counter") == 0);
	}
	free(copy);
}

static int prepare(void **state)
{
	if (output_prepare(state) != 0)
		return -1;
	text = output_of(LG_OPENMETRICS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(text);
	return 0;
}

static void every_line_is_a_family_or_its_sample_and_the_last_is_eof(void **state)
{
	const enum lg_format dialects[] = { LG_OPENMETRICS, LG_PROMETHEUS };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		dialect = dialects[i];
		char *whole = output_of(dialect);
		read_all(whole);
		free(whole);
	}
}

/* The samples of the two are the same: only comments differ. */
static void dialects_differ_in_comments_alone(void **state)
{
	char *one = output_of(LG_OPENMETRICS), *two = output_of(LG_PROMETHEUS);
	char *rest_one = one, *rest_two = two, *a, *b;
	unsigned samples = 0;

	(void)state;
	for (;; samples++) {
		while ((a = strsep(&rest_one, "\n")) != NULL && (a[0] == '#' || a[0] == '\0'))
			;
		while ((b = strsep(&rest_two, "\n")) != NULL && (b[0] == '#' || b[0] == '\0'))
			;
		if (a == NULL || b == NULL)
			break;
		assert_string_equal(a, b);
	}
	assert_ptr_equal(a, b); /* both ended */
	assert_true(samples > 100);
	free(one);
	free(two);
}

static bool shows(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool shows(const char *format, ...)
{
	char line[256];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof(line), format, values);
	va_end(values);
	return strstr(text, line) != NULL;
}

static bool is_state(const char *name)
{
	static const char *const states[] = { "in_use", "in_magazines", "in_deques",
					      "dirty",  "lazy",         "clean" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], name) == 0)
			return true;
	return false;
}

static void every_field_of_a_class_in_use_is_there_with_its_value(void **state)
{
	struct lg_stats stats;
	unsigned classes = 0;

	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	enum { gauge, counter };
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats.classes[i];

		if (class->allocations == 0) {
			assert_false(shows("class=\"%" PRIu64 "\"", class->size));
			continue;
		}
		classes++;
		/* `cached` is the sum of two states and would count them twice. */
#define FIELD(name, kind, help)                                                                    \
	if (is_state(#name)) {                                                                     \
		assert_true(shows("\nlgalloc_region_bytes{class=\"%" PRIu64 "\",state=\"" #name    \
				  "\"} %" PRIu64 "\n",                                             \
				  class->size, class->name *class->size));                         \
		assert_true(shows("\nlgalloc_regions{class=\"%" PRIu64 "\",state=\"" #name         \
				  "\"} %" PRIu64 "\n",                                             \
				  class->size, class->name));                                      \
	} else if (strcmp(#name, "cached") != 0)                                                   \
		assert_true(shows("\nlgalloc_" #name "%s{class=\"%" PRIu64 "\"} %" PRIu64 "\n",    \
				  (kind) == counter ? "_total" : "", class->size, class->name));
		LG_CLASS_FIELDS(FIELD)
#undef FIELD
	}
	assert_int_equal(classes, 4);
	assert_true(shows("\nlgalloc_threads %" PRIu64 "\n", stats.threads));
	assert_true(shows("\nlgalloc_reserved_bytes %" PRIu64 "\n", stats.reserved_bytes));
}

/* The same text again, with a label. */
static char *labelled(const char *process)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_int_equal(lg_writer_write(fd, LG_PROMETHEUS, process), 0);
	off_t bytes = lseek(fd, 0, SEEK_END);
	char *whole = calloc(1, (size_t)bytes + 1);
	assert_int_equal(pread(fd, whole, (size_t)bytes, 0), bytes);
	close(fd);
	return whole;
}

static void process_is_a_label_of_every_sample(void **state)
{
	char *before = text, *rest, *line;
	unsigned samples = 0;

	(void)state;
	text = labelled("db.12");
	dialect = LG_PROMETHEUS;
	read_all(text);
	assert_true(shows("\nlgalloc_threads{process=\"db.12\"} 1\n"));
	assert_true(shows("state=\"clean\",process=\"db.12\"} "));
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		assert_true(line[0] == '#' || strstr(line, "process=\"db.12\"}") != NULL);
		samples += line[0] != '#';
	}
	assert_true(samples > 100);
	free(text);
	text = before;
}

static void label_of_strange_bytes_needs_no_escape(void **state)
{
	char *before = text, name[600];

	(void)state;
	text = labelled("a\"b\\c\nd\xff{}e");
	assert_true(shows("\nlgalloc_threads{process=\"a_b_c_d_{}e\"} "));
	free(text);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text = labelled(name);
	assert_true(shows("nnn\"} "));
	free(text);
	text = before;
}

static void options_are_gauges_in_base_units(void **state)
{
	char *before = text;

	(void)state;
	assert_int_equal(lg_configure("cache_bytes:3M,second_decay:1500ms,growth_dampener:7"), 0);
	text = output_of(LG_PROMETHEUS);
	assert_true(shows("\nlgalloc_option_cache_bytes 3145728\n"));
	assert_true(shows("\nlgalloc_option_second_decay_seconds 1.500\n"));
	assert_true(shows("\nlgalloc_option_growth_dampener 7\n"));
	assert_true(shows("\nlgalloc_option_reserve 1\n"));
	assert_true(shows("\nlgalloc_option_min_size_bytes 1048576\n"));
	assert_false(shows("lgalloc_option_dirty_bytes 18446744073709551615"));
	assert_true(shows("\nlgalloc_backing_info{backing=\"file\"} 1\n"));
	assert_true(shows("\nlgalloc_build_info{version=\"%s\"} 1\n", lg_version()));
	free(text);
	text = before;
}

static void what_was_measured_is_shown_with_its_time(void **state)
{
	char *before = text;
	struct lg_usage usage;
	struct timespec earlier, later;
	double at;

	(void)state;
	assert_false(shows("lgalloc_disk_bytes"));
	clock_gettime(CLOCK_REALTIME, &earlier);
	assert_int_equal(lg_usage_read(&usage), 0);
	clock_gettime(CLOCK_REALTIME, &later);
	text = output_of(LG_PROMETHEUS);
	assert_true(usage.disk_bytes > 0);
	assert_true(shows("\nlgalloc_resident_bytes %" PRIu64 "\n", usage.resident_bytes));
	assert_true(shows("\nlgalloc_disk_bytes %" PRIu64 "\n", usage.disk_bytes));
	const char *sample = strstr(text, "\nlgalloc_usage_timestamp_seconds ");
	assert_non_null(sample);
	assert_int_equal(sscanf(sample, "\nlgalloc_usage_timestamp_seconds %lf", &at), 1);
	assert_true(at >= (double)earlier.tv_sec && at <= (double)later.tv_sec + 1);
	free(text);
	text = before;
}

/* A pager with a map that was written to, two times as large as its budget; the caller frees both. */
static lg_map *map_made(lg_pager **pager)
{
	*pager = lg_pager_new("memory:1M,page:4K,dir:.,faults:inline,writers:1");
	lg_map *map = *pager != NULL ? lg_map_memory(*pager, 2 << 20, NULL) : NULL;

	if (map == NULL)
		skip(); /* no userfaultfd */
	for (unsigned round = 0; round < 2; round++)
		for (size_t at = 0; at < 2 << 20; at += 4096)
			((volatile char *)lg_map_data(map))[at]++;
	return map;
}

static double le_of(const char *line)
{
	double bound;

	return sscanf(strstr(line, "le=\""), "le=\"%lf", &bound) == 1 ? bound : -1;
}

/* Buckets rise, the last is the count, and both are those of the statistics. `labels` without braces. */
static void check_times(const char *name, const char *labels, const uint64_t *buckets,
			uint64_t sum_ns)
{
	const char *open = labels[0] != '\0' ? "{" : "", *close = labels[0] != '\0' ? "}" : "";
	char start[128];
	uint64_t value, last = 0, all = 0, lines = 0;
	double bound = 0;

	for (unsigned i = 0; i < 40; i++)
		all += buckets[i];
	snprintf(start, sizeof(start), "\nlgalloc_%s_seconds_bucket{%s%sle=", name, labels,
		 labels[0] != '\0' ? "," : "");
	for (const char *at = text; (at = strstr(at, start)) != NULL; at++, lines++) {
		assert_true(le_of(at) > bound || strstr(at, "+Inf") != NULL);
		bound = le_of(at);
		assert_int_equal(sscanf(strstr(at, "} "), "} %" SCNu64, &value), 1);
		assert_true(value >= last && value <= all);
		last = value;
	}
	assert_int_equal(lines, 27);
	assert_true(last == all);
	assert_true(shows("\nlgalloc_%s_seconds_count%s%s%s %" PRIu64 "\n", name, open, labels,
			  close, all));
	assert_true(shows("\nlgalloc_%s_seconds_sum%s%s%s %" PRIu64 ".%09" PRIu64 "\n", name, open,
			  labels, close, sum_ns / 1000000000, sum_ns % 1000000000));
}

static void every_field_of_a_pager_is_there_with_its_value(void **state)
{
	char *before = text;
	struct lg_pager_stats stats, again;
	lg_pager *pager;
	lg_map *map = map_made(&pager);

	(void)state;
	assert_false(shows("lgalloc_pager_"));
	do { /* until the writer rests */
		assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
		free(text == before ? NULL : text);
		text = output_of(LG_PROMETHEUS);
		assert_int_equal(lg_pager_stats_read(pager, &again), 0);
	} while (memcmp(&stats, &again, sizeof(stats)) != 0);
	dialect = LG_PROMETHEUS;
	read_all(text);
	assert_true(stats.faults > 0 && stats.bytes_written > 0 && stats.fault_ns_sum > 0);
#define GAUGE(name, field)                                                                         \
	assert_true(shows("\nlgalloc_pager_" #name "{pager=\"1\"} %" PRIu64 "\n", stats.field))
	GAUGE(budget_bytes, budget);
	GAUGE(resident_bytes, resident);
	GAUGE(peak_bytes, peak);
	GAUGE(pinned_bytes, pinned);
	GAUGE(maps, maps);
	GAUGE(map_bytes, map_bytes);
	GAUGE(tables_bytes, tables);
#undef GAUGE
#define COUNTER(name, what)                                                                        \
	if (strncmp(#name, "bytes_", 6) == 0)                                                      \
		assert_true(shows("\nlgalloc_pager_%s_bytes_total{pager=\"1\"} %" PRIu64 "\n",     \
				  &#name[strlen(#name) > 6 ? 6 : 0], stats.name));                 \
	else                                                                                       \
		assert_true(shows("\nlgalloc_pager_" #name "_total{pager=\"1\"} %" PRIu64 "\n",    \
				  stats.name));
	LG_PAGER_COUNTERS(COUNTER)
#undef COUNTER
	check_times("pager_fault", "pager=\"1\"", stats.fault_ns, stats.fault_ns_sum);
	check_times("pager_read", "pager=\"1\"", stats.read_ns, stats.read_ns_sum);
	check_times("pager_write", "pager=\"1\"", stats.write_ns, stats.write_ns_sum);
	assert_true(shows(
		"\nlgalloc_pager_info{pager=\"1\",policy=\"clock\",page=\"4096\",faults=\"inline\"} 1\n"));
	free(text);
	text = before;
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	char *after = output_of(LG_PROMETHEUS);
	assert_null(strstr(after, "lgalloc_pager_"));
	free(after);
}

static void every_field_of_remote_objects_is_there_with_its_value(void **state)
{
	struct lg_remote_stats stats;
	char *before = text;
	uint64_t count = 1000;

	(void)state;
	assert_false(shows("lgalloc_remote_"));
#define COUNT(field, metric, help) lg_remote_count(field, count++);
	LG_REMOTE_COUNTERS(COUNT)
#undef COUNT
	for (uint64_t ns = 1; ns < (uint64_t)1 << 45; ns <<= 1) {
		lg_times_note(&lg_remote_tally.first_byte_ns, ns);
		lg_times_note(&lg_remote_tally.fault_ns, 3 * ns);
	}
	assert_int_equal(lg_remote_stats_read(&stats), 0);
	assert_int_equal(stats.gets, 1000);
	assert_int_equal(stats.prefetch_hits, count - 1);
	text = output_of(LG_PROMETHEUS);
	dialect = LG_PROMETHEUS;
	read_all(text);
#define COUNTER(field, metric, help)                                                               \
	assert_true(shows("\nlgalloc_remote_" metric "_total %" PRIu64 "\n", stats.field));
	LG_REMOTE_COUNTERS(COUNTER)
#undef COUNTER
	check_times("remote_first_byte", "", stats.first_byte_ns, stats.first_byte_ns_sum);
	check_times("remote_fault", "", stats.fault_ns, stats.fault_ns_sum);
	free(text);
	text = before;
	lg_remote_tally_forget();
	assert_int_equal(lg_remote_stats_read(&stats), 0);
	assert_int_equal(stats.gets + stats.fault_ns_sum, 0);
	assert_int_equal(lg_remote_stats_read(NULL), -EINVAL);
}

/* Two of one name, in other directories, are told apart; a file's name may have any bytes. */
static void every_field_of_a_heap_is_there_with_its_value(void **state)
{
	static const char *const paths[] = { "unit \"metrics\".heap", "./unit [metrics].heap" };
	const char *const name = "unit__metrics_.heap";
	struct lg_heap_stats stats;
	char *before = text;
	lg_heap *heaps[2];

	(void)state;
	assert_false(shows("lgalloc_heap_"));
	for (unsigned i = 0; i < 2; i++) {
		unlink(paths[i]);
		heaps[i] = lg_heap_open(paths[i], "create:on,reserve:1G,journal:1M");
		assert_non_null(heaps[i]);
		unlink(paths[i]);
	}
	assert_non_null(lg_heap_alloc(heaps[0], 100000));
	assert_int_equal(lg_heap_commit(heaps[0]), 0);
	do { /* until a checkpoint rests */
		assert_int_equal(lg_heap_stats_read(heaps[0], &stats), 0);
		free(text == before ? NULL : text);
		text = output_of(LG_PROMETHEUS);
	} while (!shows("\nlgalloc_heap_home_pages_total{heap=\"%s\"} %" PRIu64 "\n", name,
			stats.pages_home) ||
		 !shows("\nlgalloc_heap_journal_used_bytes{heap=\"%s\"} %" PRIu64 "\n", name,
			stats.journal_used));
	dialect = LG_PROMETHEUS;
	read_all(text);
	assert_int_equal(stats.commits, 1);
	assert_true(stats.pages_committed > 0 && stats.journal_bytes == 1 << 20);
#define GAUGE(field, metric, help)                                                                 \
	assert_true(                                                                               \
		shows("\nlgalloc_heap_" metric "{heap=\"%s\"} %" PRIu64 "\n", name, stats.field));
	LG_HEAP_GAUGES(GAUGE)
#undef GAUGE
#define COUNTER(field, metric, help)                                                               \
	assert_true(shows("\nlgalloc_heap_" metric "_total{heap=\"%s\"} %" PRIu64 "\n", name,      \
			  stats.field));
	LG_HEAP_COUNTERS(COUNTER)
#undef COUNTER
	assert_true(shows("\nlgalloc_heap_commits_total{heap=\"%s-2\"} 0\n", name));
	assert_true(shows("\nlgalloc_heap_failed{heap=\"%s\"} 0\n", name));
	assert_true(shows("\nlgalloc_heap_info{heap=\"%s\",mode=\"atomic\",readonly=\"off\"} 1\n",
			  name));
	free(text);
	text = before;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lg_heap_close(heaps[i]), 0);
	char *after = output_of(LG_PROMETHEUS);
	assert_null(strstr(after, "lgalloc_heap_"));
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_a_family_or_its_sample_and_the_last_is_eof),
		cmocka_unit_test(dialects_differ_in_comments_alone),
		cmocka_unit_test(every_field_of_a_class_in_use_is_there_with_its_value),
		cmocka_unit_test(what_was_measured_is_shown_with_its_time),
		cmocka_unit_test(process_is_a_label_of_every_sample),
		cmocka_unit_test(label_of_strange_bytes_needs_no_escape),
		cmocka_unit_test(options_are_gauges_in_base_units),
		cmocka_unit_test(every_field_of_a_pager_is_there_with_its_value),
		cmocka_unit_test(every_field_of_remote_objects_is_there_with_its_value),
		cmocka_unit_test(every_field_of_a_heap_is_there_with_its_value),
	};

	return cmocka_run_group_tests(tests, prepare, end);
}
