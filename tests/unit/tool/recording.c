/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The reader of traces: whole ones are counted, cut ones too, and nothing that is broken passes. */
#include "unit/tool/trace_file.h"

#include "tool/recording.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>

static struct trace_file file;
static struct lg_recording recording;

static int begin(void **state)
{
	(void)state;
	trace_file_begin(&file);
	return 0;
}

static int end(void **state)
{
	(void)state;
	trace_file_end(&file);
	return 0;
}

static void refused(const char *words)
{
	assert_int_equal(lg_recording_read(file.path, &recording, NULL, NULL), -EINVAL);
	if (strstr(lg_error(), words) == NULL)
		print_error("'%s' is not '%s'\n", lg_error(), words);
	assert_non_null(strstr(lg_error(), words));
}

static bool add_page(void *context, const struct lg_trace_record *record)
{
	*(uint64_t *)context += record->page;
	return true;
}

static bool refuse_third(void *context, const struct lg_trace_record *record)
{
	(void)record;
	return ++*(unsigned *)context < 3;
}

static void every_record_is_visited_and_counted(void **state)
{
	uint64_t sum = 0, expected = 0;
	unsigned visits = 0;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		trace_file_add(&file, (enum lg_trace_kind)(1 + i % 8), i);
		expected += i;
	}
	trace_file_add(&file, LG_TRACE_LOST, 77);
	trace_file_add(&file, LG_TRACE_LOST, 3);
	trace_file_add_end(&file);
	trace_file_write(&file, SIZE_MAX, 0);
	assert_int_equal(lg_recording_read(file.path, &recording, add_page, &sum), 0);
	assert_true(sum == expected);
	assert_true(recording.records == 10000);
	assert_true(recording.is_whole);
	assert_true(recording.kinds[LG_TRACE_READ] == 1250);
	assert_true(recording.kinds[LG_TRACE_EVICT_DIRTY] == 1250);
	assert_true(recording.kinds[LG_TRACE_LOST] == 80);
	assert_true(recording.last_ns == file.count);
	assert_string_equal(recording.header.policy, "clock");
	assert_int_equal(lg_recording_read(file.path, &recording, refuse_third, &visits), -ENOMEM);
	assert_int_equal(visits, 3);
}

/* However far it was written: what is there counts, and that the end is missing is known. */
static void trace_cut_anywhere_is_read_as_far_as_it_goes(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		trace_file_add(&file, LG_TRACE_READ, i);
	trace_file_add_end(&file);
	for (size_t bytes = 0; bytes <= 128 + 6 * 32; bytes++) {
		trace_file_write(&file, bytes, 0);
		if (bytes < 128) {
			refused(bytes < 8 ? "no fault trace of lgalloc: it does not begin as one" :
					    "that ends within its header, after ");
			continue;
		}
		assert_int_equal(lg_recording_read(file.path, &recording, NULL, NULL), 0);
		size_t there = (bytes - 128) / 32;
		assert_true(recording.records == (there < 5 ? there : 5));
		assert_true(recording.is_whole == (there == 6));
	}
}

/* Of a header and a record, no bit can change unseen. */
static void every_changed_bit_is_refused(void **state)
{
	unsigned char *bytes = (unsigned char *)&file;
	size_t length = 128 + 2 * 32;

	(void)state;
	trace_file_add(&file, LG_TRACE_WRITE, 5);
	trace_file_add_end(&file);
	for (size_t bit = 0; bit < length * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		trace_file_write(&file, SIZE_MAX, 0);
		refused(bit < 64      ? "does not begin as one" :
			bit < 96      ? "a fault trace of version " :
			bit < 128 * 8 ? "whose header is broken" :
			bit < 160 * 8 ? "whose record 0 is broken" :
					"whose record 1 is broken");
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

static void records_that_are_signed_and_wrong_are_refused(void **state)
{
	struct lg_trace_record *record = trace_file_add(&file, LG_TRACE_WRITE, 5);

	(void)state;
	trace_file_add_end(&file);
	record->kind = 0;
	trace_file_sign_record(record);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("whose record 0 is broken");
	record->kind = LG_TRACE_END + 1;
	trace_file_sign_record(record);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("whose record 0 is broken");
	record->kind = LG_TRACE_WRITE;
	record->shift = 22;
	trace_file_sign_record(record);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("whose record 0 is broken");
	record->shift = 16;
	trace_file_sign_record(record);
	file.records[1].page = 9;
	trace_file_sign_record(&file.records[1]);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("a fault trace of 9 records, of which 1 are there");
}

static void something_behind_the_end_is_refused(void **state)
{
	(void)state;
	trace_file_add(&file, LG_TRACE_WRITE, 5);
	trace_file_add_end(&file);
	trace_file_write(&file, SIZE_MAX, 1);
	refused("something behind its end");
	trace_file_write(&file, SIZE_MAX, 32);
	refused("something behind its end");
	trace_file_add(&file, LG_TRACE_WRITE, 5);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("something behind its end");
}

static void other_versions_and_sizes_are_refused_by_name(void **state)
{
	(void)state;
	file.header.version = 2;
	trace_file_sign(&file);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("of version 2, and this program reads 1");
	file.header.version = 1;
	file.header.record_bytes = 40;
	trace_file_sign(&file);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("whose header is broken");
}

static void policy_of_a_header_always_ends(void **state)
{
	(void)state;
	memset(file.header.policy, 'x', sizeof(file.header.policy));
	trace_file_sign(&file);
	trace_file_write(&file, SIZE_MAX, 0);
	refused("whose header is broken");
}

static void random_bytes_are_refused(void **state)
{
	uint64_t random = 88172645463325252u;

	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		unsigned char *bytes = (unsigned char *)&file;
		FILE *to = fopen(file.path, "w");

		assert_non_null(to);
		for (unsigned i = 0; i < 500; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			fputc(round % 2 == 0 || i >= 128 ? (int)(random & 0xff) : bytes[i], to);
		}
		fclose(to);
		refused(round % 2 == 0 ? "no fault trace" : "whose record 0 is broken");
	}
}

static void what_cannot_be_read_is_said_why(void **state)
{
	(void)state;
	assert_int_equal(lg_recording_read("none/of/these", &recording, NULL, NULL), -ENOENT);
	assert_string_equal(lg_error(), "No such file or directory");
	assert_int_equal(lg_recording_read("/dev/null", &recording, NULL, NULL), -EINVAL);
	assert_string_equal(lg_error(), "no fault trace of lgalloc: no regular file");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(every_record_is_visited_and_counted),
		TEST(trace_cut_anywhere_is_read_as_far_as_it_goes),
		TEST(every_changed_bit_is_refused),
		TEST(records_that_are_signed_and_wrong_are_refused),
		TEST(something_behind_the_end_is_refused),
		TEST(other_versions_and_sizes_are_refused_by_name),
		TEST(policy_of_a_header_always_ends),
		TEST(random_bytes_are_refused),
		TEST(what_cannot_be_read_is_said_why),
	};

	return UNIT_RUN(tests);
}
