/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: the metrics file is whole whenever it is there, whatever kills its process; what killed processes
 * leave does not grow, and is gone when the next one runs.
 * Method: 200 processes that write it every millisecond while they allocate, half of them to one name, half
 * to names of their own, each killed by SIGKILL at a random moment; two threads read the files all the
 * while. Then files are made an hour old, one process of each kind runs, and ends by itself.
 * Oracle: every line of every text read, and its last; names in the directory.
 */
#include "fault/metrics.h"
#include "stress/crew.h"
#include "stress/process.h"
#include "stress/random.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

enum { RUNS = 200, READERS = 2, LIFE_US_MAX = 30000 };

static const char fixed[] = "app.prom", own[] = "app.%p.prom";
static char directory[] = "fault.metrics.XXXXXX";
static struct crew crew;
static _Atomic(uint64_t) wholes;
static _Atomic(pid_t) current;

static void read_all_the_time(struct crew_member *member)
{
	char name[64];

	while (!crew_stopped(member)) {
		bool seen = metrics_claim_whole(directory, fixed);

		snprintf(name, sizeof(name), "app.%d.prom", (int)atomic_load(&current));
		seen = metrics_claim_whole(directory, name) || seen;
		if (seen)
			atomic_fetch_add(&wholes, 1);
		else
			clock_breathe();
	}
}

/* Regions of some classes come and go, so that the text's length changes. */
static void allocate_once(uint64_t *random)
{
	lg_region *regions[8];

	for (unsigned i = 0; i < 8; i++)
		regions[i] = lg_region_new(random_size(random, 12, 24));
	for (unsigned i = 0; i < 8; i++)
		lg_region_free(regions[i]);
}

static pid_t start(const char *name, uint64_t seed, bool for_ever)
{
	pid_t child = process_fork();

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	metrics_configure(directory, name, "interval:1ms,backing:anon,usage_interval:1ms");
	for (bool written = false; for_ever || !written;) {
		struct lg_stats stats;

		allocate_once(&seed);
		CLAIM(lg_stats_read(&stats) == 0);
		written = stats.metrics_writes > 1;
	}
	exit(EXIT_SUCCESS);
}

static void kill_some(uint64_t *random)
{
	for (unsigned run = 0; run < RUNS; run++) {
		struct timespec life = { 0, 0 };
		pid_t child = start(run % 2 == 0 ? fixed : own, random_next(random), true);

		atomic_store(&current, child);
		life.tv_nsec = 1000 * (long)random_below(random, LIFE_US_MAX);
		nanosleep(&life, NULL);
		CLAIM(kill(child, SIGKILL) == 0);
		int status = process_wait(child);
		CLAIM(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

/* As if the dead had died an hour ago. */
static void make_old(void)
{
	DIR *names = opendir(directory);
	struct timespec times[2];

	CLAIM(names != NULL);
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= 3600;
	times[1] = times[0];
	for (struct dirent *entry; (entry = readdir(names)) != NULL;)
		if (entry->d_name[0] != '.')
			CLAIM(utimensat(dirfd(names), entry->d_name, times, 0) == 0);
	closedir(names);
}

int main(void)
{
	uint64_t random = random_seed(), seed = random_next(&random);

	metrics_make_directory(directory);
	crew_start(&crew, READERS, seed, read_all_the_time);
	kill_some(&random);
	crew_stop(&crew);
	crew_join(&crew);
	unsigned files = metrics_count(directory, ".prom", false);
	unsigned temporaries = metrics_count(directory, ".tmp", false);
	printf("%llu texts read; %u files and %u temporaries left\n",
	       (unsigned long long)atomic_load(&wholes), files, temporaries);
	CLAIM(atomic_load(&wholes) > RUNS);
	CLAIM(metrics_count(directory, "app.prom.tmp", false) <= 1);

	make_old();
	int status = process_wait(start(fixed, seed, false));
	CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CLAIM(metrics_count(directory, "app.prom.tmp", false) == 0);
	CLAIM(metrics_claim_whole(directory, fixed)); /* a fixed name stays at the exit */
	status = process_wait(start(own, seed, false));
	CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CLAIM(metrics_count(directory, "", true) == 1); /* its own is gone as well */
	CLAIM(rmdir(directory) == 0);
	return 0;
}
