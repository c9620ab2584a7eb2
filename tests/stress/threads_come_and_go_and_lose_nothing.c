/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: threads may come and go by the hundred; what an exiting thread kept goes to the others, its
 * record serves a later thread, and nothing is lost.
 * Method: waves of 200 threads alive at once; each allocates, frees, and leaves one region on an
 * exchange for a thread of this wave or a later one; the main thread joins them all.
 * Oracle: after each wave stats.threads is what it was before, allocations and frees differ by what is
 * on the exchange, and after the second wave neither the address space reserved nor the process's
 * mappings grow, since every record is there already. The books at the end.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/exchange.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

enum { THREADS = 200, SIZE_LOW = 12, SIZE_HIGH = 20, KEPT = 6, WAVES_MIN = 4 };

static struct crew crew;
static struct exchange market;
static pthread_barrier_t all_alive;
static atomic_uint on_market;

static void live(struct crew_member *me)
{
	struct parcel kept[KEPT];
	struct parcel other;

	for (unsigned i = 0; i < KEPT; i++)
		kept[i] = parcel_make(&me->random, SIZE_LOW, SIZE_HIGH);
	pthread_barrier_wait(&all_alive);
	for (unsigned i = 1; i < KEPT; i++)
		parcel_check_and_free(kept[i]);
	if (exchange_take(&market, random_below(&me->random, EXCHANGE_SLOTS), &other)) {
		atomic_fetch_sub(&on_market, 1);
		parcel_check_and_free(other);
	}
	if (exchange_put(&market, random_below(&me->random, EXCHANGE_SLOTS), kept[0]))
		atomic_fetch_add(&on_market, 1);
	else
		parcel_check_and_free(kept[0]);
}

static unsigned mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned lines = 0;
	int c;

	CLAIM(maps != NULL);
	while ((c = getc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

static void body(const struct round *round)
{
	uint64_t seed = random_seed();
	double end = clock_end_of_run(3);
	uint64_t reserved_bytes = 0;
	unsigned mapped = 0;
	struct lg_stats stats;
	struct parcel left;
	uint64_t baseline;

	(void)round;
	lg_region_free(lg_region_new(1));
	CLAIM(lg_stats_read(&stats) == 0);
	baseline = stats.threads;
	for (unsigned wave = 0; wave < WAVES_MIN || !clock_passed(end); wave++) {
		CLAIM(pthread_barrier_init(&all_alive, NULL, THREADS) == 0);
		crew_start(&crew, THREADS, random_next(&seed), live);
		crew_join(&crew);
		pthread_barrier_destroy(&all_alive);
		CLAIM(lg_stats_read(&stats) == 0);
		account_claim_threads(baseline);
		CLAIM(stats.totals.in_use == atomic_load(&on_market));
		if (wave == 1) {
			reserved_bytes = stats.reserved_bytes;
			mapped = mappings();
		}
		CLAIM(wave < 1 || stats.reserved_bytes == reserved_bytes);
		/* A thread's stack and the areas come and go; a record a thread would be 200 a wave. */
		CLAIM(wave < 1 || mappings() < mapped + THREADS / 2);
	}
	for (size_t i = 0; i < EXCHANGE_SLOTS; i++)
		if (exchange_take(&market, i, &left))
			parcel_check_and_free(left);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file" },
	{ "anon", "backing:anon" },
	{ "paged", "backing:paged" },
	{ "anon-revoking", "backing:anon,interval:1ms" },
	{ "anon-without-worker", "backing:anon,background:off" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
