/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: while the worker hangs in a call on the metrics file, as on a disk that does not answer, every
 * other call of the library goes on: threads allocate and exit, options change, statistics are read, a
 * child is forked, and the process can exit.
 * Method: the linker's --wrap sends the library's calls here; the worker's waits for ever in the one named
 * by the argument, until it is let go. A call that waits for the worker is ended by the child's alarm.
 * Oracle: every call returns what it should; after the release the file is written; nothing is on stderr.
 */
#include "fault/child.h"
#include "fault/metrics.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { THREADS = 4, ROUNDS = 40 };

static char directory[] = "fault.metrics.XXXXXX";
static const char *hang_in;
static atomic_bool armed;
static atomic_uint hanging;
static sem_t let_go;

static void pass(const char *call)
{
	char name[16] = "";
	int before = errno;

	if (!atomic_load(&armed) || strcmp(call, hang_in) != 0)
		return;
	prctl(PR_GET_NAME, name);
	if (strcmp(name, "lgalloc-bg") == 0) {
		atomic_fetch_add(&hanging, 1);
		while (sem_wait(&let_go) != 0)
			;
	}
	errno = before;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list more;

	va_start(more, flags);
	if (__OPEN_NEEDS_MODE(flags))
		mode = va_arg(more, mode_t);
	va_end(more);
	pass("open");
	return __real_open(path, flags, mode);
}

ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
	pass("write");
	return __real_write(fd, bytes, count);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	pass("rename");
	return __real_rename(from, to);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	pass("close");
	return __real_close(fd);
}

/* Through every pool and past every bound, from the first refill to the thread's exit. */
static void *allocate(void *unused)
{
	lg_region *regions[16];

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < 16; i++) {
			regions[i] = lg_region_new((size_t)4096 << (round + i) % 12);
			CLAIM(regions[i] != NULL);
			*(char *)lg_region_data(regions[i]) = 1;
		}
		for (unsigned i = 0; i < 16; i++)
			lg_region_free(regions[i]);
		if (round % 8 == 0)
			lg_thread_flush();
	}
	return NULL;
}

static void allocate_in_threads(void)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&threads[i], NULL, allocate, NULL) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		CLAIM(pthread_join(threads[i], NULL) == 0);
}

static void call_everything(void)
{
	int memory = memfd_create("metrics", MFD_CLOEXEC);
	struct lg_stats stats;
	struct lg_usage usage;

	CLAIM(memory >= 0);
	CLAIM(lg_configure("cache_bytes:2M,dirty_bytes:16M,interval:2ms") == 0);
	allocate_in_threads();
	CLAIM(lg_trim() == 0);
	CLAIM(lg_stats_read(&stats) == 0);
	CLAIM(lg_usage_read(&usage) == 0);
	CLAIM(lg_metrics_write(memory, LG_OPENMETRICS) == 0);
	CLAIM(lg_configure("metrics_file:elsewhere") == 0);
	metrics_configure(directory, "app.%p.prom", "interval:1ms");
	close(memory);
}

static void await_hang(void)
{
	for (double hang = clock_hang(); atomic_load(&hanging) == 0; clock_breathe())
		CLAIM(!clock_passed(hang));
}

static void begin(void)
{
	CLAIM(sem_init(&let_go, 0, 0) == 0);
	metrics_configure(directory, "app.%p.prom", "interval:1ms,backing:anon");
	atomic_store(&armed, true);
	lg_region_free(lg_region_new(4096));
	await_hang();
}

static void goes_on_and_recovers(void *unused)
{
	struct lg_stats before, now;

	(void)unused;
	begin();
	call_everything();
	pid_t child = process_fork();
	if (child == 0) {
		atomic_store(&armed, false);
		allocate(NULL);
		exit(EXIT_SUCCESS);
	}
	int status = process_wait(child);
	CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CLAIM(lg_stats_read(&before) == 0);
	atomic_store(&armed, false);
	CLAIM(sem_post(&let_go) == 0);
	for (double hang = clock_hang();; clock_breathe()) {
		CLAIM(lg_stats_read(&now) == 0);
		if (now.metrics_writes > before.metrics_writes + 1)
			break;
		CLAIM(!clock_passed(hang));
	}
	CLAIM(atomic_load(&hanging) == 1);
	exit(EXIT_SUCCESS);
}

static void exits_while_it_hangs(void *unused)
{
	(void)unused;
	begin();
	exit(EXIT_SUCCESS);
}

static void claim_quiet(const char *what, void (*body)(void *))
{
	struct child_end end = child_try(body, NULL);

	if (!child_ended_well(&end) || end.length > 0) {
		child_print(what, &end);
		BROKEN("the child ends well and prints nothing");
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	hang_in = argv[1];
	metrics_make_directory(directory);
	claim_quiet("goes on and recovers", goes_on_and_recovers);
	CLAIM(metrics_count(directory, "", true) == 0);
	claim_quiet("exits while it hangs", exits_while_it_hangs);
	/* The worker died in the middle, as by a kill: at most the temporary, or the file, is left. */
	CLAIM(metrics_count(directory, "", true) <= 2);
	CLAIM(rmdir(directory) == 0);
	return 0;
}
