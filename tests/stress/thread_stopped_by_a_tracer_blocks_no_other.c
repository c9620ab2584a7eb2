/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever threads stop, at whatever instruction, all others go on allocating and freeing.
 * Method: 64 threads in an allocation loop in a child process; the parent stops random ones with
 * ptrace (SEIZE, INTERRUPT), which no signal mask and no handler can soften, the library's worker
 * included, and lets them run again.
 * Oracle: each other thread's count of operations, in memory shared with the parent, must advance by
 * some hundreds before a deadline far beyond what a loaded machine needs.
 */
#include "stress/crew.h"
#include "stress/progress.h"
#include "stress/rounds.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

static struct crew crew;
static struct progress *progress;
static _Atomic(uint64_t) *refills; /* the child's, as it sees them */

static void loop(struct crew_member *me)
{
	atomic_store(&progress->of[me->number].tid, (int)syscall(SYS_gettid));
	progress_loop(progress, me->number, me->random);
}

static _Noreturn void be_the_child(uint64_t random, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	progress_warm();
	crew_start(&crew, PROGRESS_THREADS, random, loop);
	atomic_store(refills, progress_refills()); /* or the parent may find none yet */
	atomic_store(&progress->ready, 1);
	for (;;) {
		atomic_store(refills, progress_refills());
		clock_breathe();
	}
}

static void stop_thread(pid_t tid)
{
	int status;

	CLAIM(ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0);
	CLAIM(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0);
	CLAIM(waitpid(tid, &status, __WALL) == tid);
	CLAIM(WIFSTOPPED(status));
}

static void continue_thread(pid_t tid)
{
	CLAIM(ptrace(PTRACE_DETACH, tid, NULL, NULL) == 0);
}

/* The thread the library made itself: neither the main one nor one of ours. 0: there is none. */
static pid_t worker_of(pid_t child)
{
	char path[64];
	struct dirent *entry;
	pid_t found = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)child);
	tasks = opendir(path);
	CLAIM(tasks != NULL);
	while ((entry = readdir(tasks)) != NULL) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		bool ours = tid == 0 || tid == child;

		for (unsigned i = 0; i < PROGRESS_THREADS; i++)
			ours |= tid == atomic_load(&progress->of[i].tid);
		if (!ours)
			found = tid;
	}
	closedir(tasks);
	return found;
}

static void wait_for_child(pid_t child)
{
	const bool none[PROGRESS_THREADS] = { false };
	double hang = clock_hang();
	int status;

	while (!atomic_load(&progress->ready)) {
		if (waitpid(child, &status, WNOHANG) == child) {
			fprintf(stderr, "the child ended before it was warm, status %x\n", status);
			exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
		}
		CLAIM(!clock_passed(hang));
		clock_breathe();
	}
	progress_claim(progress, none);
}

static void body(const struct round *round)
{
	const bool none[PROGRESS_THREADS] = { false };
	uint64_t random = random_seed();
	uint64_t refills_before;
	unsigned times = 0;
	pid_t parent;
	pid_t worker;
	pid_t child;
	double end;

	(void)round;
	progress = mmap(NULL, sizeof(*progress) + 64, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CLAIM(progress != MAP_FAILED);
	refills = (_Atomic(uint64_t) *)(void *)(progress + 1);
	parent = getpid();
	child = fork();
	CLAIM(child >= 0);
	if (child == 0)
		be_the_child(random, parent);
	wait_for_child(child);
	if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != 0) {
		kill(child, SIGKILL);
		SKIP("no ptrace: %s", strerror(errno));
	}
	worker = worker_of(child);
	CLAIM(worker != 0);
	refills_before = atomic_load(refills);
	end = clock_end_of_run(5);
	do {
		bool stopped[PROGRESS_THREADS] = { false };
		bool stop_worker = random_one_in(&random, 3);
		size_t count = 1 + random_below(&random, 24);

		for (size_t i = 0; i < count; i++) {
			size_t who = random_below(&random, PROGRESS_THREADS);

			while (stopped[who])
				who = (who + 1) % PROGRESS_THREADS;
			stopped[who] = true;
			stop_thread(atomic_load(&progress->of[who].tid));
		}
		if (stop_worker)
			stop_thread(worker);
		progress_claim(progress, stopped);
		for (size_t i = 0; i < PROGRESS_THREADS; i++)
			if (stopped[i])
				continue_thread(atomic_load(&progress->of[i].tid));
		if (stop_worker)
			continue_thread(worker);
		times++;
	} while (!clock_passed(end));
	progress_claim(progress, none);
	CLAIM(atomic_load(refills) == refills_before);
	CLAIM(kill(child, SIGKILL) == 0);
	CLAIM(waitpid(child, NULL, __WALL) == child);
	printf("%u times\n", times);
}

static const struct round rounds[] = {
	{ "file", "backing:file," PROGRESS_OPTIONS },
	{ "anon", "backing:anon," PROGRESS_OPTIONS },
	{ "anon-uncached", "backing:anon," PROGRESS_OPTIONS ",cache_bytes:0" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
