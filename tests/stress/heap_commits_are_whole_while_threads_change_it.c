/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a commit holds every step between begin and end whole (edges G1 to G3 of heap/gate.h), whoever allocates and
 * frees meanwhile, and objects are handed out once.
 * Method: threads move amounts between accounts of their own, each account a new object at each step, and free objects
 * that others allocated; one thread commits all the time. Now and then a snapshot is taken and looked at. Oracle: in
 * each snapshot the accounts of a thread add up to what they began with, and there are as many objects as accounts.
 *
 * Rounds: with membarrier, and on a kernel that has none, where who enters the gate fences.
 */
#include "stress/clock.h"
#include "stress/rounds.h"
#include "stress/without_call.h"

#include <lgalloc/heap.h>
#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3, ACCOUNTS = 64, AMOUNT = 1000 };

struct account {
	int64_t amount;
	uint64_t stamp;
	char rest[];
};

static lg_heap *heap;
static lg_ref *table; /* THREADS * ACCOUNTS, in the heap */
static atomic_bool ended;
static _Atomic(lg_ref) passed[THREADS]; /* for the neighbour to free */

static struct account *make(int64_t amount, uint64_t random)
{
	size_t bytes = sizeof(struct account) + random % 600 + (random % 50 == 0 ? 70000 : 0);
	struct account *account = lg_heap_alloc(heap, bytes);

	CLAIM(account != NULL);
	memset(account, (int)random, bytes);
	*account = (struct account){ amount, random };
	return account;
}

/* Replaces an account; the old object goes to the neighbour, who frees it, or is freed here. */
static void replace(int thread, lg_ref *place, int64_t difference, uint64_t random)
{
	struct account *old = lg_heap_at(heap, *place);
	lg_ref expected = 0;

	*place = lg_heap_ref(heap, make(old->amount + difference, random));
	if (!atomic_compare_exchange_strong(&passed[thread], &expected, lg_heap_ref(heap, old)))
		CLAIM(lg_heap_free(heap, old) == 0);
}

static void *work(void *argument)
{
	int thread = (int)(intptr_t)argument;
	lg_ref *mine = table + thread * ACCOUNTS;
	uint64_t random = 88172645463325252u + (uint64_t)thread;

	while (!atomic_load(&ended)) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		lg_heap_begin(heap);
		replace(thread, &mine[random % ACCOUNTS], 5, random >> 8);
		replace(thread, &mine[(random >> 30) % ACCOUNTS], -5, random >> 9);
		lg_heap_end(heap);
		lg_ref other = atomic_exchange(&passed[(thread + 1) % THREADS], 0);
		if (other != 0)
			CLAIM(lg_heap_free(heap, lg_heap_at(heap, other)) == 0);
	}
	return NULL;
}

static void look(const char *path)
{
	lg_heap *copy = lg_heap_open(path, "readonly:on,reserve:1G");
	struct lg_heap_stats stats;

	CLAIM(copy != NULL);
	const lg_ref *all = lg_heap_at(copy, lg_heap_root_get(copy, "table"));
	for (int thread = 0; thread < THREADS; thread++) {
		int64_t sum = 0;

		for (int i = 0; i < ACCOUNTS; i++)
			sum += ((const struct account *)lg_heap_at(copy,
								   all[thread * ACCOUNTS + i]))
				       ->amount;
		CLAIM(sum == (int64_t)ACCOUNTS * AMOUNT);
	}
	CLAIM(lg_heap_stats_read(copy, &stats) == 0);
	/* One more for each that is on its way to the neighbour. */
	CLAIM(stats.objects >= 1 + THREADS * ACCOUNTS);
	CLAIM(stats.objects <= 1 + THREADS * ACCOUNTS + 2 * THREADS);
	CLAIM(lg_heap_close(copy) == 0);
}

static void body(const struct round *round)
{
	double end = clock_end_of_run(3);
	char path[64], copy[80];
	pthread_t threads[THREADS];
	unsigned commits = 0, looks = 0;

	if (strcmp(round->name, "fence") == 0)
		without_call(SYS_membarrier);
	snprintf(path, sizeof(path), "lg-stress-%d.heap", (int)getpid());
	snprintf(copy, sizeof(copy), "%s.copy", path);
	heap = lg_heap_open(path, "create:on,reserve:1G,journal:4M");
	CLAIM(heap != NULL);
	table = lg_heap_calloc(heap, THREADS * ACCOUNTS, sizeof(*table));
	for (int i = 0; i < THREADS * ACCOUNTS; i++)
		table[i] = lg_heap_ref(heap, make(AMOUNT, (uint64_t)i));
	CLAIM(lg_heap_root_set(heap, "table", lg_heap_ref(heap, table)) == 0);
	for (int i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) == 0);
	do {
		CLAIM(lg_heap_commit(heap) == 0);
		if (++commits % 8 == 1) {
			unlink(copy);
			CLAIM(lg_heap_snapshot(heap, copy) == 0);
			look(copy);
			looks++;
		}
	} while (!clock_passed(end));
	atomic_store(&ended, true);
	for (int i = 0; i < THREADS; i++)
		CLAIM(pthread_join(threads[i], NULL) == 0);
	CLAIM(lg_heap_commit(heap) == 0);
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(lg_heap_check(path, 0, NULL) == 0);
	look(path);
	unlink(path);
	unlink(copy);
	printf("%s: %u commits, %u snapshots\n", round->name, commits, looks);
}

static const struct round rounds[] = { { "membarrier", "" }, { "fence", "" } };

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
