/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* No thread of a pager wakes when nothing happens. */
#include "stress/clock.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 4096, PAGES = 1024 };

static unsigned long switches_of(const char *task)
{
	char path[300], line[128];
	unsigned long sum = 0, count;
	bool is_ours = false;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", task);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL) {
		is_ours |= strncmp(line, "Name:\tlgalloc-", 14) == 0;
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &count) == 1)
			sum = count;
	}
	fclose(file);
	return is_ours ? sum : 0;
}

/* How often threads of the library slept so far. */
static unsigned long switches(unsigned *threads)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *task;
	unsigned long sum = 0, one;

	assert_non_null(tasks);
	for (*threads = 0; (task = readdir(tasks)) != NULL; *threads += one > 0) {
		one = switches_of(task->d_name);
		sum += one;
	}
	closedir(tasks);
	return sum;
}

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static void claim_idle(const char *options)
{
	enum { WHILE_MS = 600, LEAST_THREADS = 3 };
	lg_pager *pager = lg_pager_new(options);
	assert_non_null(pager);
	lg_map *map = lg_map_memory(pager, (size_t)PAGES * PAGE, NULL);
	assert_non_null(map);
	volatile char *data = lg_map_data(map);
	unsigned long before, after;
	unsigned threads;
	double hang = clock_hang();

	for (size_t i = 0; i < PAGES; i++)
		data[i * PAGE] = 1;
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(data[i * PAGE], 1);
	/* Until all is written that was to be. That nobody wakes can only be seen by waiting. */
	do {
		assert_false(clock_passed(hang));
		before = switches(&threads);
		sleep_ms(WHILE_MS);
		after = switches(&threads);
	} while (after != before);
	assert_true(threads >= LEAST_THREADS);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static void threads_of_a_pager_sleep(void **state)
{
	(void)state;
	claim_idle("memory:2M,page:4K,faults:inline,writers:2");
}

static void threads_sleep_when_all_is_flushed(void **state)
{
	(void)state;
	claim_idle("memory:2M,page:4K,faults:inline,flush:100ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_of_a_pager_sleep),
		cmocka_unit_test(threads_sleep_when_all_is_flushed),
	};

	return UNIT_RUN(tests);
}
