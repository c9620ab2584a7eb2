/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a commit holds every step between begin and end whole (edges G1 to G3 of heap/gate.h), whoever allocates and
 * frees meanwhile, and objects are handed out once.
 * Method: threads move amounts between accounts of their own, each account a new object at each step, and free objects
 * that others allocated; one thread commits all the time. Now and then a snapshot is taken and looked at. Oracle: in
 * each snapshot the accounts of a thread add up to what they began with, and there are as many objects as accounts.
 *
 * LGALLOC_STRESS_SECONDS: how long.
 */
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

#define MUST(what) ((what) ? (void)0 : broken(#what, __LINE__))

static void broken(const char *what, int line)
{
	fprintf(stderr, "line %d: %s does not hold: %s\n", line, what, lg_error());
	abort();
}

static struct account *make(int64_t amount, uint64_t random)
{
	size_t bytes = sizeof(struct account) + random % 600 + (random % 50 == 0 ? 70000 : 0);
	struct account *account = lg_heap_alloc(heap, bytes);

	MUST(account != NULL);
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
		MUST(lg_heap_free(heap, old) == 0);
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
			MUST(lg_heap_free(heap, lg_heap_at(heap, other)) == 0);
	}
	return NULL;
}

static void look(const char *path)
{
	lg_heap *copy = lg_heap_open(path, "readonly:on,reserve:1G");
	struct lg_heap_stats stats;

	MUST(copy != NULL);
	const lg_ref *all = lg_heap_at(copy, lg_heap_root_get(copy, "table"));
	for (int thread = 0; thread < THREADS; thread++) {
		int64_t sum = 0;

		for (int i = 0; i < ACCOUNTS; i++)
			sum += ((const struct account *)lg_heap_at(copy,
								   all[thread * ACCOUNTS + i]))
				       ->amount;
		MUST(sum == (int64_t)ACCOUNTS * AMOUNT);
	}
	MUST(lg_heap_stats_read(copy, &stats) == 0);
	/* One more for each that is on its way to the neighbour. */
	MUST(stats.objects >= 1 + THREADS * ACCOUNTS);
	MUST(stats.objects <= 1 + THREADS * ACCOUNTS + 2 * THREADS);
	MUST(lg_heap_close(copy) == 0);
}

int main(void)
{
	const char *said = getenv("LGALLOC_STRESS_SECONDS");
	time_t end = time(NULL) + (said != NULL ? atoi(said) : 5);
	char path[64], copy[80];
	pthread_t threads[THREADS];
	unsigned commits = 0, looks = 0;

	snprintf(path, sizeof(path), "lg-stress-%d.heap", (int)getpid());
	snprintf(copy, sizeof(copy), "%s.copy", path);
	heap = lg_heap_open(path, "create:on,reserve:1G,journal:4M");
	MUST(heap != NULL);
	table = lg_heap_calloc(heap, THREADS * ACCOUNTS, sizeof(*table));
	for (int i = 0; i < THREADS * ACCOUNTS; i++)
		table[i] = lg_heap_ref(heap, make(AMOUNT, (uint64_t)i));
	MUST(lg_heap_root_set(heap, "table", lg_heap_ref(heap, table)) == 0);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) == 0);
	do {
		MUST(lg_heap_commit(heap) == 0);
		if (++commits % 8 == 1) {
			unlink(copy);
			MUST(lg_heap_snapshot(heap, copy) == 0);
			look(copy);
			looks++;
		}
	} while (time(NULL) < end);
	atomic_store(&ended, true);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_join(threads[i], NULL) == 0);
	MUST(lg_heap_commit(heap) == 0);
	MUST(lg_heap_close(heap) == 0);
	MUST(lg_heap_check(path, 0, NULL) == 0);
	look(path);
	unlink(path);
	unlink(copy);
	printf("%u commits, %u snapshots\n", commits, looks);
	return 0;
}
