/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The worker of a program that has pagers or heaps and no region: it is there for the metrics file alone. Each test is a
 * process of its own that has made nothing before, a child of this one.
 */
#include "region/worker.h"

#include "os/thread.h"
#include "unit/metrics/output.h"
#include "unit/region/background.h"

#include <errno.h>
#include <lgalloc/heap.h>
#include <lgalloc/pager.h>
#include <sys/wait.h>

enum { PATH_BYTES = 64, FILE_BYTES = 1 << 17 };

/* The process's own, which goes with it. */
#define METRICS_FILE "metrics_file:unit.region.watch.%p.prom"

static void set_environment(const char *options)
{
	assert_int_equal(setenv("LGALLOC_CONF", options, 1), 0);
}

static void name_file(char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "unit.region.watch.%d.prom", (int)getpid());
}

static bool file_is_there(void)
{
	char path[PATH_BYTES];

	name_file(path);
	return access(path, F_OK) == 0;
}

/* A whole file says this. */
static bool file_tells(const char *what)
{
	static char text[FILE_BYTES];
	char path[PATH_BYTES];

	name_file(path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(length >= 0);
	text[length] = '\0';
	return strstr(text, what) != NULL;
}

/* Not every kernel, nor every container, has userfaultfd. */
static void claim_is_made(const void *paged)
{
	if (paged == NULL && (errno == ENOSYS || errno == EPERM))
		skip();
	assert_non_null(paged);
}

/* Without a thread of its own before its first commit; nobody finds its file. */
static void new_heap(void)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "unit.region.watch.%d.heap", (int)getpid());
	unlink(path);
	lg_heap *heap = lg_heap_open(path, "create:on,reserve:1G,journal:1M");
	unlink(path);
	assert_non_null(heap);
}

static unsigned threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned found = 0;

	assert_non_null(tasks);
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
		found += entry->d_name[0] != '.';
	closedir(tasks);
	return found;
}

static uint64_t writes(void)
{
	struct lg_stats stats;

	assert_int_equal(lg_stats_read(&stats), 0);
	return stats.metrics_writes;
}

static void pager_is_written_of(void **state)
{
	(void)state;
	set_environment(METRICS_FILE ",interval:2ms");
	claim_is_made(lg_pager_new("memory:1M,page:4K"));
	WAIT_FOR(file_tells("\nlgalloc_pager_maps{pager=\"1\","));
	WAIT_FOR(writes() > 0);
	assert_int_equal(workers(), 1);
}

static void default_pager_is_written_of(void **state)
{
	(void)state;
	set_environment(METRICS_FILE ",interval:2ms");
	claim_is_made(lg_map_memory(NULL, 1 << 20, NULL));
	WAIT_FOR(file_tells("\nlgalloc_pager_maps{pager=\"default\","));
}

static void heap_is_written_of(void **state)
{
	(void)state;
	set_environment(METRICS_FILE ",interval:2ms");
	new_heap();
	WAIT_FOR(file_tells("\nlgalloc_heap_file_bytes{heap=\""));
}

static void file_that_is_named_later_is_written(void **state)
{
	(void)state;
	set_environment("interval:2ms");
	claim_is_made(lg_pager_new("memory:1M,page:4K"));
	assert_int_equal(workers(), 0);
	assert_int_equal(lg_configure(METRICS_FILE), 0);
	WAIT_FOR(file_tells("\nlgalloc_pager_maps{pager=\"1\","));
}

static void with_nothing_to_write_or_nowhere_there_is_none(void **state)
{
	(void)state;
	set_environment(METRICS_FILE);
	assert_int_equal(lg_configure("interval:2ms"), 0);
	assert_int_equal(threads(), 1);
	assert_int_equal(lg_configure("metrics_file:"), 0);
	new_heap();
	assert_int_equal(lg_configure("interval:3ms"), 0);
	assert_int_equal(threads(), 1);
}

static void switched_off_there_is_none(void **state)
{
	(void)state;
	set_environment(METRICS_FILE ",interval:2ms,background:off");
	new_heap();
	assert_int_equal(lg_configure("interval:3ms"), 0);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(threads(), 1);
	assert_false(file_is_there());
	char *text = output_of(LG_PROMETHEUS); /* by hand as ever */
	assert_non_null(strstr(text, "\nlgalloc_heap_file_bytes{heap=\""));
	free(text);
	assert_int_equal(lg_configure("background:on"), 0);
	WAIT_FOR(file_is_there());
	assert_int_equal(lg_configure("background:off"), 0);
	WAIT_FOR(threads() == 1);
}

static void without_the_file_it_sleeps_until_there_is_one_again(void **state)
{
	char text[TEXT_BYTES];
	long task;

	(void)state;
	set_environment(METRICS_FILE ",interval:2ms");
	claim_is_made(lg_pager_new("memory:1M,page:4K")); /* a heap asks for the barrier itself */
	WAIT_FOR(file_is_there());
	assert_int_equal(lg_configure("metrics_file:"), 0);
	WAIT_FOR(!file_is_there());
	assert_int_equal(find_worker(&task), 1);
	if (read_task(task, "syscall",
		      text)) /* else a kernel or a container that does not show it */
		WAIT_FOR(sleeps_without_timer(task));
	assert_int_equal(lg_configure(METRICS_FILE), 0);
	WAIT_FOR(file_is_there());
	assert_int_equal(workers(), 1);
}

static void child_has_none_until_it_has_something_itself(void **state)
{
	int status;

	(void)state;
	set_environment(METRICS_FILE ",interval:2ms");
	new_heap();
	WAIT_FOR(file_is_there());
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		assert_int_equal(lg_configure("interval:3ms"), 0);
		assert_int_equal(threads(), 1);
		assert_int_equal(writes(), 0);
		new_heap();
		WAIT_FOR(file_tells("\nlgalloc_heap_file_bytes{heap=\""));
		WAIT_FOR(writes() > 0); /* counted once it is there */
		exit(0);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
}

/* The worker that is there already does what it does for regions. */
static void regions_that_come_later_are_looked_after(void **state)
{
	(void)state;
	set_environment(METRICS_FILE ",interval:2ms,retire_delay:0,usage_interval:3600s");
	new_heap();
	WAIT_FOR(file_is_there());
	lg_region *region = lg_region_new(2 << 20);
	assert_non_null(region);
	WAIT_FOR(file_tells("\nlgalloc_resident_bytes{"));
	lg_region_free(region);
	WAIT_FOR(everything_went_back());
	assert_int_equal(workers(), 1);
}

/* It is the first to ask the library for anything. */
static bool fails_alone(const struct CMUnitTest *test)
{
	int status = -1;

	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		const struct CMUnitTest alone[] = { *test };

		exit(UNIT_RUN(alone));
	}
	return waitpid(child, &status, 0) != child || status != 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pager_is_written_of),
		cmocka_unit_test(default_pager_is_written_of),
		cmocka_unit_test(heap_is_written_of),
		cmocka_unit_test(file_that_is_named_later_is_written),
		cmocka_unit_test(with_nothing_to_write_or_nowhere_there_is_none),
		cmocka_unit_test(switched_off_there_is_none),
		cmocka_unit_test(without_the_file_it_sleeps_until_there_is_one_again),
		cmocka_unit_test(child_has_none_until_it_has_something_itself),
		cmocka_unit_test(regions_that_come_later_are_looked_after),
	};
	unsigned failed = 0;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		failed += fails_alone(&tests[i]);
	return failed > 0;
}
