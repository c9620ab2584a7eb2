/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a region that was taken is mapped and reads zero, whatever areas come and go meanwhile: an area
 * is shown only when its mapping is there (edge A3), and its addresses are used again only when the
 * last unmapping is done (edge A4).
 * Method: threads take clean regions of two classes, refill when there are none, write to them, drop the
 * pages and give them back; two others retire every area that is all clean, at once. Areas live for some
 * dozens of microseconds, under the same addresses each time.
 * Oracle: the region's bytes: zero when taken, its holder's until given; a touch of what is not mapped is
 * a SIGSEGV. A flag by number. In the end all areas can be retired, and nothing is left.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "os/map.h"
#include "region/class.h"
#include "region/clean.h"
#include "region/refill.h"
#include "region/start.h"

enum { THREADS = 3, RETIRERS = 2, NUMBERS = 1 << 16, HELD = 6 };

static const unsigned classes[] = { 4, 9 }; /* 64 KiB and 2 MiB */
static struct crew crew;
static _Atomic(uint8_t) held[2][NUMBERS];
static _Atomic(uint64_t) taken, retired;

static void use(struct crew_member *member, unsigned which)
{
	struct lg_region *regions[LG_CLEAN_RUN];
	unsigned class = classes[which], count,
		 want = 1 + (unsigned)random_below(&member->random, HELD);
	unsigned char mark = (unsigned char)(member->number + 1);

	CLAIM(lg_clean_take(class, want, regions, &count) == 0);
	if (count == 0) {
		CLAIM(lg_refill(class) == 0);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		uint64_t number = lg_region_number(regions[i]);
		unsigned char *data = lg_region_data(regions[i]);

		CLAIM(number < NUMBERS && regions[i]->class == class);
		CLAIM(atomic_exchange_explicit(&held[which][number], 1, memory_order_relaxed) == 0);
		CLAIM(data[0] == 0 && data[lg_class_bytes(class) - 1] == 0);
		data[0] = data[lg_class_bytes(class) - 1] = mark;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned char *data = lg_region_data(regions[i]);

		CLAIM(data[0] == mark && data[lg_class_bytes(class) - 1] == mark);
		CLAIM(lg_os_advise(data, lg_class_bytes(class), LG_OS_DROP) == 0);
		CLAIM(atomic_exchange_explicit(&held[which][lg_region_number(regions[i])], 0,
					       memory_order_relaxed) == 1);
	}
	lg_area_give(&lg_classes[class], regions, count);
	atomic_fetch_add_explicit(&taken, count, memory_order_relaxed);
}

static void work(struct crew_member *member)
{
	while (!crew_stopped(member)) {
		unsigned which = (unsigned)random_below(&member->random, 2);

		if (member->number < THREADS)
			use(member, which);
		else
			atomic_fetch_add(&retired,
					 lg_area_retire_idle(&lg_classes[classes[which]], 0));
	}
}

int main(void)
{
	double end;

	CLAIM(lg_configure("backing:anon,background:off,area_max:2M,hugepages:off") == 0);
	CLAIM(lg_start() == 0);
	end = clock_end_of_run(3);
	crew_start(&crew, THREADS + RETIRERS, random_seed(), work);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	for (unsigned i = 0; i < 2; i++) {
		lg_area_check(&lg_classes[classes[i]]);
		(void)lg_area_retire_idle(&lg_classes[classes[i]], 0);
	}
	CLAIM(atomic_load(&retired) > 0);
	printf("%llu taken, %llu areas retired\n", (unsigned long long)atomic_load(&taken),
	       (unsigned long long)atomic_load(&retired));
	account_claim_nothing_lost();
	return 0;
}
