/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a program that used up all thread-specific keys, allocation works or is refused with an
 * errno, in every thread; nothing crashes, threads come and go without losing regions, and once a key
 * is free again all works.
 * Method: pthread_key_create until it fails, before the library's first use.
 * Oracle: errno, stamps, the books at the end.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <limits.h>
#include <pthread.h>

static pthread_key_t keys[PTHREAD_KEYS_MAX];
static bool must_succeed;

static void *use(void *unused)
{
	(void)unused;
	for (size_t bytes = 4096; bytes <= (size_t)1 << 24; bytes *= 4) {
		lg_region *region;

		errno = 0;
		region = lg_region_new(bytes);
		if (!region) {
			CLAIM(!must_succeed);
			CLAIM(errno == EAGAIN || errno == ENOMEM);
			continue;
		}
		stamp_write(lg_region_data(region), bytes, bytes);
		CLAIM(stamp_holds(lg_region_data(region), bytes, bytes));
		lg_region_free(region);
	}
	return NULL;
}

static void use_in_threads(void)
{
	for (unsigned i = 0; i < 20; i++) {
		pthread_t thread;

		CLAIM(pthread_create(&thread, NULL, use, NULL) == 0);
		CLAIM(pthread_join(thread, NULL) == 0);
	}
	use(NULL);
}

static void body(const struct round *round)
{
	pthread_key_t no_more;
	unsigned count = 0;

	(void)round;
	while (count < PTHREAD_KEYS_MAX && pthread_key_create(&keys[count], NULL) == 0)
		count++;
	CLAIM(count > 0);
	CLAIM(pthread_key_create(&no_more, NULL) == EAGAIN);
	use_in_threads();
	CLAIM(lg_trim() == 0);
	while (count > 0)
		CLAIM(pthread_key_delete(keys[--count]) == 0);
	must_succeed = true;
	use_in_threads();
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:5ms" },
	{ "anon", "backing:anon,background:off" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
