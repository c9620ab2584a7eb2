/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A history from a trace, and its replay: known misses, in the forms they are shown in. */
#include "unit/tool/trace_file.h"

#include "tool/replay.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>

static struct trace_file file;
static struct lg_history history;
static struct lg_replay replay;

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
	lg_history_end(&history);
	return 0;
}

static void read_all(uint64_t only)
{
	trace_file_add_end(&file);
	trace_file_write(&file, SIZE_MAX, 0);
	assert_int_equal(lg_history_read(file.path, only, &history), 0);
}

static void add_policy(const char *name)
{
	assert_true(lg_policy_find(name, strlen(name), &replay.policies[replay.policy_count++]));
}

static void uses_are_faults_and_their_pages_are_numbered(void **state)
{
	static const bool writes[] = { false, true, true, false, true };

	(void)state;
	trace_file_add(&file, LG_TRACE_READ, 70);
	trace_file_add(&file, LG_TRACE_PREFETCH, 71);
	trace_file_add(&file, LG_TRACE_WRITE, 50);
	trace_file_add(&file, LG_TRACE_PROTECT, 70);
	trace_file_add(&file, LG_TRACE_EVICT, 50);
	trace_file_add(&file, LG_TRACE_EVICT_DIRTY, 70);
	trace_file_add(&file, LG_TRACE_LIMBO_READ, 50);
	struct lg_trace_record *other = trace_file_add(&file, LG_TRACE_LIMBO_WRITE, 71);
	other->thread = 9;
	trace_file_sign_record(other);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(history.count, 5);
	assert_int_equal(history.pages.count, 3);
	assert_int_equal(history.threads.count, 2);
	for (unsigned i = 0; i < 5; i++) {
		static const unsigned pages[] = { 0, 1, 0, 1, 2 };

		assert_int_equal(history.accesses[i].page, pages[i]);
		assert_int_equal(history.accesses[i].write, writes[i]);
		assert_int_equal(history.accesses[i].thread, i == 4);
	}
	assert_int_equal(history.map_numbers.count, 1);
	assert_int_equal(history.maps[0].map, 3);
	assert_int_equal(history.maps[0].shift, 16);
	assert_true(history.maps[0].pages == 3);
	assert_true(history.maps[0].uses == 5);
	assert_true(history.maps[0].evictions == 2);
}

static void same_page_of_two_maps_is_two_pages(void **state)
{
	(void)state;
	trace_file_add(&file, LG_TRACE_READ, 7);
	struct lg_trace_record *other = trace_file_add(&file, LG_TRACE_READ, 7);
	other->map = 4;
	trace_file_sign_record(other);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(history.pages.count, 2);
	assert_int_equal(lg_replay_begin(&replay, &history), 0);
	assert_int_equal(replay.pages, 2);
	lg_history_end(&history);
	assert_int_equal(lg_history_read(file.path, 4, &history), 0);
	assert_int_equal(history.count, 1);
	assert_int_equal(lg_replay_begin(&replay, &history), 0);
	assert_int_equal(replay.pages, 1);
	lg_history_end(&history);
	assert_int_equal(lg_history_read(file.path, 5, &history), 0);
	assert_int_equal(lg_replay_begin(&replay, &history), -EINVAL);
	assert_string_equal(lg_error(),
			    "no use of a page of map 5; lgalloc trace info lists the maps");
}

static void pages_of_two_sizes_are_refused_unless_one_map_is_chosen(void **state)
{
	(void)state;
	trace_file_add(&file, LG_TRACE_READ, 7);
	struct lg_trace_record *other = trace_file_add(&file, LG_TRACE_READ, 7);
	other->map = 4;
	other->shift = 21;
	trace_file_sign_record(other);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(lg_replay_begin(&replay, &history), -EINVAL);
	assert_string_equal(lg_error(), "pages of 64K and of 2M: choose one map by --map, "
					"lgalloc trace info lists them");
	lg_history_end(&history);
	assert_int_equal(lg_history_read(file.path, 4, &history), 0);
	assert_int_equal(lg_replay_begin(&replay, &history), 0);
	assert_int_equal(replay.shift, 21);
}

static void trace_without_a_use_is_refused(void **state)
{
	(void)state;
	trace_file_add(&file, LG_TRACE_PREFETCH, 7);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(lg_replay_begin(&replay, &history), -EINVAL);
	assert_string_equal(lg_error(), "no use of a page is in it");
}

static void budgets_are_sorted_and_once(void **state)
{
	(void)state;
	memset(&replay, 0, sizeof(replay));
	assert_true(lg_replay_add_budget(&replay, 5));
	assert_true(lg_replay_add_budget(&replay, 0));
	assert_true(lg_replay_add_budget(&replay, 9));
	assert_true(lg_replay_add_budget(&replay, 5));
	assert_true(lg_replay_add_budget(&replay, UINT64_MAX));
	assert_int_equal(replay.budget_count, 4);
	assert_int_equal(replay.budgets[0], 1);
	assert_int_equal(replay.budgets[1], 5);
	assert_int_equal(replay.budgets[2], 9);
	assert_int_equal(replay.budgets[3], UINT32_MAX - 1);
	for (unsigned i = 4; i < LG_REPLAY_BUDGETS; i++)
		assert_true(lg_replay_add_budget(&replay, 100 + i));
	assert_false(lg_replay_add_budget(&replay, 1000));
	assert_true(lg_replay_add_budget(&replay, 100 + 4));
	/* The fixture's end wants a history. */
	trace_file_add(&file, LG_TRACE_READ, 7);
	read_all(LG_HISTORY_ALL);
}

/* Ten rounds over twice the pages there is memory for: fifo misses always, lifo comes back to some. */
static void replay_loop(void)
{
	for (unsigned i = 0; i < 1280; i++)
		trace_file_add(&file, i % 10 == 3 ? LG_TRACE_WRITE : LG_TRACE_READ, i % 128);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(lg_replay_begin(&replay, &history), 0);
	add_policy("fifo");
	add_policy("lifo");
	assert_true(lg_replay_add_budget(&replay, 64));
	assert_true(lg_replay_add_budget(&replay, 128));
	assert_int_equal(lg_replay_run(&replay), 0);
}

static void counts_are_those_of_the_simulator(void **state)
{
	struct lg_simulator_rules rules;
	struct lg_simulator_counts counts;

	(void)state;
	replay_loop();
	assert_true(replay.counts[0][0].misses == 1280);
	assert_true(replay.counts[1][0].misses == 128);
	assert_true(replay.best[1] == 128);
	lg_simulator_rules_of_engine(&rules, &replay.policies[1], 64, 16);
	assert_int_equal(lg_simulate(&rules, history.accesses, 1280, 128, 1, &counts), 0);
	assert_memory_equal(&counts, &replay.counts[0][1], sizeof(counts));
	assert_true(counts.misses < 1100);
	assert_true(replay.best[0] < counts.misses);
}

static void table_shows_misses_and_advice(void **state)
{
	char *text = NULL, line[128];
	size_t length;

	(void)state;
	replay_loop();
	FILE *to = open_memstream(&text, &length);
	assert_non_null(to);
	lg_replay_print(to, &replay);
	fclose(to);
	assert_non_null(strstr(text, "misses of 1280 uses of 128 pages of 64K, 8M in all\n"));
	assert_non_null(strstr(text, "  BUDGET OF ALL     best     fifo     lifo\n"));
	snprintf(line, sizeof(line), "      4M    50%% %8u     1280 %8u\n",
		 (unsigned)replay.best[0], (unsigned)replay.counts[0][1].misses);
	assert_non_null(strstr(text, line));
	assert_non_null(strstr(text, "      8M   100%      128      128      128\n"));
	assert_non_null(strstr(text, "policy:lifo: "));
	assert_non_null(strstr(text, "fewer than fifo\n"));
	assert_non_null(strstr(text, "memory:8M: each smaller budget costs more"));
	assert_non_null(
		strstr(text, "note: recorded with memory:16M; smaller budgets look better"));
	assert_null(strstr(text, "lost"));
	assert_null(strstr(text, "cut off"));
	free(text);
}

/* Of one budget nothing is known but its own misses. */
static void no_budget_is_praised_over_ones_that_were_not_tried(void **state)
{
	char *text = NULL;
	size_t length;

	(void)state;
	for (unsigned i = 0; i < 1280; i++)
		trace_file_add(&file, LG_TRACE_READ, i % 128);
	read_all(LG_HISTORY_ALL);
	assert_int_equal(lg_replay_begin(&replay, &history), 0);
	add_policy("fifo");
	assert_true(lg_replay_add_budget(&replay, 1 << 20));
	assert_int_equal(lg_replay_run(&replay), 0);
	FILE *to = open_memstream(&text, &length);
	assert_non_null(to);
	lg_replay_print(to, &replay);
	fclose(to);
	assert_non_null(strstr(text, "memory:64G: no smaller budget was tried\n"));
	assert_null(strstr(text, "each smaller budget"));
	free(text);
}

static void csv_has_a_line_for_each_policy_and_budget(void **state)
{
	char *text = NULL, line[128];
	size_t length;
	unsigned lines = 0;

	(void)state;
	replay_loop();
	FILE *to = open_memstream(&text, &length);
	assert_non_null(to);
	lg_replay_print_csv(to, &replay);
	fclose(to);
	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, 1 + 2 * 3);
	assert_int_equal(strncmp(text, "policy,budget_bytes,budget_pages,uses,misses,", 45), 0);
	snprintf(line, sizeof(line), "fifo,4194304,64,1280,1280,128,0,0,%u,%u\n",
		 (unsigned)replay.counts[0][0].evictions, (unsigned)replay.counts[0][0].writes);
	assert_non_null(strstr(text, line));
	assert_non_null(strstr(text, "\nbest,8388608,128,1280,128,128,,,,\n"));
	free(text);
}

static void picture_has_to_have_a_known_name(void **state)
{
	(void)state;
	replay_loop();
	assert_int_equal(lg_replay_plot(&replay, "picture.jpg"), -EINVAL);
	assert_string_equal(lg_error(), "its name ends neither in .svg nor in .png");
	assert_int_equal(lg_replay_plot(&replay, ".svg"), -EINVAL);
	assert_int_equal(lg_replay_plot(&replay, "a\n.svg"), -EINVAL);
	assert_string_equal(lg_error(), "its name has a control character");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(uses_are_faults_and_their_pages_are_numbered),
		TEST(same_page_of_two_maps_is_two_pages),
		TEST(pages_of_two_sizes_are_refused_unless_one_map_is_chosen),
		TEST(trace_without_a_use_is_refused),
		TEST(budgets_are_sorted_and_once),
		TEST(counts_are_those_of_the_simulator),
		TEST(table_shows_misses_and_advice),
		TEST(no_budget_is_praised_over_ones_that_were_not_tried),
		TEST(csv_has_a_line_for_each_policy_and_budget),
		TEST(picture_has_to_have_a_known_name),
	};

	return UNIT_RUN(tests);
}
