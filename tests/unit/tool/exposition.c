/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/exposition.h"

#include "unit/unit.h"

#include <math.h>

/* Each text is read in a piece of memory of its own size, so that sanitizers see the first byte beyond. */
static struct lg_exposition exposition;
static struct lg_sample sample;
static char *text;

static void begin(const char *from, size_t length)
{
	free(text);
	text = malloc(length + 1);
	assert_non_null(text);
	memcpy(text, from, length);
	lg_exposition_begin(&exposition, text, length);
}

static int end(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static bool is_inside(const char *string)
{
	return string >= text && string + strlen(string) < exposition.end;
}

/* Reads to the end; every string of every sample lies in the text. */
static enum lg_exposition_step read_all(unsigned *samples)
{
	enum lg_exposition_step step;

	*samples = 0;
	while ((step = lg_exposition_next(&exposition, &sample)) == LG_EXPOSITION_SAMPLE) {
		assert_true(++*samples < 10000);
		assert_true(is_inside(sample.name));
		assert_in_range(sample.label_count, 0, LG_LABELS_MAX);
		for (unsigned i = 0; i < sample.label_count; i++) {
			assert_true(is_inside(sample.labels[i].name));
			assert_true(is_inside(sample.labels[i].value));
		}
	}
	if (step == LG_EXPOSITION_WRONG) {
		assert_non_null(exposition.reason);
		assert_true(exposition.line >= 1 || exposition.end == text);
	}
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_END);
	return step;
}

static const char good[] =
	"# HELP lgalloc_regions Regions by state.\n"
	"# TYPE lgalloc_regions gauge\n"
	"lgalloc_regions{class=\"4096\",state=\"in_use\"} 12\n"
	"lgalloc_regions{class=\"4096\",state=\"a \\\"b\\\\c\\nd\",} 13 1700000000.5\n"
	"# UNIT lgalloc_seconds seconds\n"
	"lgalloc_seconds 1.5e-3 # {trace=\"x\"} 0.5\n"
	"lgalloc_threads 18446744073709551615\n"
	"other:thing{} -Inf\n"
	"# EOF\n";

static void samples_come_with_labels_and_exact_counts(void **state)
{
	(void)state;
	begin(good, strlen(good));
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_SAMPLE);
	assert_string_equal(sample.name, "lgalloc_regions");
	assert_int_equal(exposition.line, 3);
	assert_string_equal(lg_sample_label(&sample, "class"), "4096");
	assert_string_equal(lg_sample_label(&sample, "state"), "in_use");
	assert_null(lg_sample_label(&sample, "node"));
	assert_true(sample.is_count && sample.count == 12);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_SAMPLE);
	assert_string_equal(lg_sample_label(&sample, "state"), "a \"b\\c\nd");
	assert_true(sample.is_count && sample.count == 13);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_SAMPLE);
	assert_false(sample.is_count);
	assert_true(sample.value > 0.00149 && sample.value < 0.00151);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_SAMPLE);
	assert_true(sample.is_count && sample.count == UINT64_MAX);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_SAMPLE);
	assert_string_equal(sample.name, "other:thing");
	assert_int_equal(sample.label_count, 0);
	assert_true(isinf(sample.value) && sample.value < 0);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_END);
	assert_int_equal(lg_exposition_next(&exposition, &sample), LG_EXPOSITION_END);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *reason;
	} wrongs[] = {
		{ "", 0, "without '# EOF'" },
		{ "a 1\n", 1, "without '# EOF'" },
		{ "a 1", 1, "within a line" },
		{ "a 1\n# EOF", 2, "within a line" },
		{ "a 1\n# EOF\n\n", 2, "behind '# EOF'" },
		{ "a 1\n\n# EOF\n", 2, "no name" },
		{ "1a 1\n", 1, "no name" },
		{ " a 1\n", 1, "no name" },
		{ "\x7f"
		  "ELF\n",
		  1, "no name" },
		{ "a\n", 1, "no space" },
		{ "a\t1\n", 1, "no space" },
		{ "a{b=\"c\"}1\n", 1, "no space" },
		{ "a \n", 1, "a value" },
		{ "a  1\n", 1, "a value" },
		{ "a x\n", 1, "a value" },
		{ "a 1x\n", 1, "behind the value" },
		{ "a 0x10\n", 1, "behind the value" },
		{ "a 1.2.3\n", 1, "a value" },
		{ "a --1\n", 1, "a value" },
		{ "a nan\n", 1, "a value" },
		{ "a Infinity\n", 1, "behind the value" },
		{ "a 1 x\n", 1, "a timestamp" },
		{ "a 1 2 3\n", 1, "behind the value" },
		{ "a 1 # x\n", 1, "behind the value" },
		{ "a{\n", 1, "a label without a name" },
		{ "a{b\n", 1, "without a value" },
		{ "a{b=c} 1\n", 1, "without a value" },
		{ "a{b=\"c\n", 1, "without a value" },
		{ "a{b=\"c\\\n", 1, "without a value" },
		{ "a{b=\"c\"\n", 1, "without an end" },
		{ "a{b=\"c\"d=\"e\"} 1\n", 1, "without an end" },
		{ "a{,} 1\n", 1, "a label without a name" },
		{ "a{b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\",b=\"\","
		  "b=\"\",b=\"\",b=\"\",b=\"\",b=\"\"} 1\n",
		  1, "more labels" },
	};
	unsigned samples;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		begin(wrongs[i].text, strlen(wrongs[i].text));
		if (read_all(&samples) != LG_EXPOSITION_WRONG ||
		    exposition.line != wrongs[i].line ||
		    strstr(exposition.reason, wrongs[i].reason) == NULL)
			fail_msg("'%s': line %u: %s", wrongs[i].text, exposition.line,
				 exposition.reason != NULL ? exposition.reason : "nothing wrong");
	}
	begin("a 1\nb\0 2\n# EOF\n", 16);
	assert_int_equal(read_all(&samples), LG_EXPOSITION_WRONG);
	assert_int_equal(exposition.line, 2);
	assert_string_equal(exposition.reason, "a zero byte");
}

static void no_part_of_a_file_is_a_file(void **state)
{
	unsigned samples;

	(void)state;
	for (size_t length = 0; length < strlen(good); length++) {
		begin(good, length);
		assert_int_equal(read_all(&samples), LG_EXPOSITION_WRONG);
	}
	begin(good, strlen(good));
	assert_int_equal(read_all(&samples), LG_EXPOSITION_END);
	assert_int_equal(samples, 5);
}

static void every_byte_may_be_any_other(void **state)
{
	char changed[sizeof(good)];
	unsigned samples;

	(void)state;
	for (size_t at = 0; at < strlen(good); at++)
		for (unsigned byte = 0; byte < 256; byte += 1 + (unsigned)at % 3) {
			memcpy(changed, good, sizeof(good));
			changed[at] = (char)byte;
			begin(changed, strlen(good));
			(void)read_all(&samples);
			assert_in_range(samples, 0, 6);
		}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Pieces of the grammar in any order reach deeper than bytes would. */
static void heaps_of_pieces_are_read_or_refused(void **state)
{
	static const char *const pieces[] = {
		"lgalloc_",  "class", "=",  "\"", "\\",        "{",      "}",
		",",         " ",     "\n", "1",  "4096",      "e9",     "-",
		"NaN",       "# EOF", "#",  "x",  "\n# EOF\n", "=\"y\"", "lgalloc_a 1\n",
		"a{b=\"c\"", "} 1\n",
	};
	uint32_t seed = 1;
	unsigned samples, read = 0;

	(void)state;
	for (unsigned turn = 0; turn < 50000; turn++) {
		char heap[400] = "";
		size_t length = 0;

		for (unsigned i = next_random(&seed) % 24; i > 0; i--) {
			const char *piece =
				pieces[next_random(&seed) % (sizeof(pieces) / sizeof(pieces[0]))];
			memcpy(heap + length, piece, strlen(piece));
			length += strlen(piece);
		}
		begin(heap, length);
		(void)read_all(&samples);
		read += samples;
	}
	assert_true(read > 100); /* not all is refused at once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(samples_come_with_labels_and_exact_counts, end),
		cmocka_unit_test_teardown(what_is_wrong_is_said_with_its_line, end),
		cmocka_unit_test_teardown(no_part_of_a_file_is_a_file, end),
		cmocka_unit_test_teardown(every_byte_may_be_any_other, end),
		cmocka_unit_test_teardown(heaps_of_pieces_are_read_or_refused, end),
	};

	return UNIT_RUN(tests);
}
