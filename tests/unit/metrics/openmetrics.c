/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The text as a collector reads it: families in one piece, each with HELP and TYPE, values that are ours. */
#include "unit/metrics/output.h"

#include <inttypes.h>

enum { FAMILIES_MAX = 64, NAME_BYTES = 64 };

struct family {
	char name[NAME_BYTES];
	char type[16];
	bool has_help;
	unsigned samples;
};

static struct family families[FAMILIES_MAX];
static unsigned family_count;
static char *text;

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
	assert_string_equal(what, "TYPE");
	struct family *family = find(name);
	assert_ptr_equal(family, &families[family_count - 1]); /* right after its HELP */
	strcpy(family->type, rest);
	assert_true(strcmp(rest, "gauge") == 0 || strcmp(rest, "counter") == 0);
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
	assert_ptr_equal(find(name), &families[family_count - 1]);
	families[family_count - 1].samples++;
	assert_true(strlen(value + 1) > 0);
	assert_int_equal(strspn(value + 1, "0123456789"), strlen(value + 1));
	if (line[length] == '{') {
		const char *end = strchr(line, '}');

		assert_int_equal(strncmp(line + length, "{class=\"", 8), 0);
		assert_non_null(end);
		assert_ptr_equal(end + 1, value);
		assert_int_equal(end[-1], '"');
	}
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
	char *copy = strdup(text), *rest = copy;
	bool ended = false;

	(void)state;
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
	assert_true(family_count > 10);
	for (unsigned i = 0; i < family_count; i++) {
		bool total = strstr(families[i].name, "_total") != NULL;

		assert_true(families[i].has_help && families[i].type[0] != '\0');
		assert_true(families[i].samples > 0);
		assert_int_equal(total, strcmp(families[i].type, "counter") == 0);
	}
	free(copy);
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
	if (is_state(#name))                                                                       \
		assert_true(shows("\nlgalloc_regions{class=\"%" PRIu64 "\",state=\"" #name         \
				  "\"} %" PRIu64 "\n",                                             \
				  class->size, class->name));                                      \
	else if (strcmp(#name, "cached") != 0)                                                     \
		assert_true(shows("\nlgalloc_" #name "%s{class=\"%" PRIu64 "\"} %" PRIu64 "\n",    \
				  (kind) == counter ? "_total" : "", class->size, class->name));
		LG_CLASS_FIELDS(FIELD)
#undef FIELD
	}
	assert_int_equal(classes, 4);
	assert_true(shows("\nlgalloc_threads %" PRIu64 "\n", stats.threads));
	assert_true(shows("\nlgalloc_reserved_bytes %" PRIu64 "\n", stats.reserved_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_a_family_or_its_sample_and_the_last_is_eof),
		cmocka_unit_test(every_field_of_a_class_in_use_is_there_with_its_value),
	};

	return cmocka_run_group_tests(tests, prepare, end);
}
