/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: after fork, a child cannot reach its parent's regions in files or on a pager: a touch is SIGSEGV, never the
 * parent's bytes, and nothing else of the child's comes to lie where they were. The child's own
 * allocations, worker and trim work, and freeing what the parent allocated does no harm.
 * Method: a parent with regions in use, cached and clean in many classes; a child for each thing a
 * child may do, and a grandchild.
 * Oracle: wait statuses; the stamps in the parent, checked after each child.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <sys/mman.h>

enum { REGIONS = 40, MAPPINGS = 400 };

static lg_region *regions[REGIONS];
static char *parents[REGIONS]; /* their data: a handle shows none in a child */
static uint64_t random_state;

static size_t size_of(unsigned i)
{
	return (size_t)1 << (12 + i % 14);
}

static void make_regions(void)
{
	for (unsigned i = 0; i < REGIONS; i++) {
		lg_region *extra = lg_region_new(size_of(i));

		regions[i] = lg_region_new(size_of(i));
		CLAIM(extra != NULL);
		CLAIM(regions[i] != NULL);
		parents[i] = lg_region_data(regions[i]);
		stamp_write(parents[i], size_of(i), i + 1);
		lg_region_free(extra);
	}
}

static void claim_regions_intact(void)
{
	for (unsigned i = 0; i < REGIONS; i++)
		CLAIM(stamp_holds(parents[i], size_of(i), i + 1));
}

static void read_parents(void *which)
{
	volatile const char *data = parents[*(unsigned *)which];

	printf("the child read %d\n", data[0]);
}

static void write_parents(void *which)
{
	unsigned i = *(unsigned *)which;

	((volatile char *)parents[i])[size_of(i) - 1] = 1;
}

static void read_parents_after_own_work(void *which)
{
	for (unsigned i = 0; i < REGIONS; i++)
		CLAIM(lg_region_new(size_of(i)) != NULL);
	CLAIM(lg_trim() == 0);
	read_parents(which);
}

/* Many mappings of the sizes of areas: none may fall into the parent's holes. */
static void map_ordinarily(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < MAPPINGS; i++) {
		size_t bytes = (size_t)1 << (12 + random_below(&random_state, 16));
		char *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		CLAIM(got != MAP_FAILED);
		CLAIM(lg_region_of(got) == NULL);
		CLAIM(lg_region_of(got + bytes - 1) == NULL);
		for (unsigned j = 0; j < REGIONS; j++) {
			char *data = parents[j];

			CLAIM(got + bytes <= data || data + size_of(j) <= got);
		}
	}
}

static void map_where_parents_were(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < REGIONS; i++) {
		void *data = parents[i];
		void *got = mmap(data, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		/* Without MAP_FIXED an address is a hint: taken if nothing is there. */
		CLAIM(got != MAP_FAILED);
		CLAIM(got != data);
	}
}

static void work_well(void *unused)
{
	lg_region *own[REGIONS];

	(void)unused;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < REGIONS; i++) {
			own[i] = round == 1 ? lg_region_new_zeroed(size_of(i)) :
					      lg_region_new(size_of(i));
			CLAIM(own[i] != NULL);
			if (round == 1)
				CLAIM(stamp_all_zero(lg_region_data(own[i]), size_of(i)));
			for (unsigned j = 0; j < REGIONS; j++)
				CLAIM(lg_region_data(own[i]) != parents[j]);
			stamp_write(lg_region_data(own[i]), size_of(i), 1000 + i);
			CLAIM(lg_region_of(lg_region_data(own[i])) == own[i]);
		}
		for (unsigned i = 0; i < REGIONS; i++) {
			lg_region *larger;

			CLAIM(stamp_holds(lg_region_data(own[i]), size_of(i), 1000 + i));
			larger = lg_region_resize(own[i], 2 * size_of(i));
			CLAIM(larger != NULL);
			lg_region_free(larger);
		}
		CLAIM(lg_trim() == 0);
	}
}

/* The child has a worker of its own: what it freed goes back without its help. */
static void let_the_worker_work(void *unused)
{
	double hang = clock_hang();
	struct lg_stats stats;

	(void)unused;
	CLAIM(lg_configure("interval:5ms,retire_delay:0") == 0);
	for (unsigned i = 0; i < REGIONS; i++) {
		lg_region *own = lg_region_new(size_of(i));

		CLAIM(own != NULL);
		stamp_write(lg_region_data(own), size_of(i), i);
		lg_region_free(own);
	}
	do {
		CLAIM(!clock_passed(hang));
		clock_breathe();
		CLAIM(lg_stats_read(&stats) == 0);
	} while (stats.cached_bytes > 0 || stats.dirty_bytes > 0);
}

static void free_parents(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < REGIONS; i++)
		lg_region_free(regions[i]);
	work_well(NULL);
}

static void have_a_child(void *unused)
{
	unsigned first = 0;
	struct child_end end;

	(void)unused;
	work_well(NULL);
	CLAIM(child_claim("work_well in a grandchild", work_well, NULL));
	CLAIM(child_claim("map_ordinarily in a grandchild", map_ordinarily, NULL));
	end = child_try(read_parents, &first);
	CLAIM(child_died_of(&end, SIGSEGV));
	work_well(NULL);
}

static void claim_segfault(const char *what, void (*body)(void *), unsigned which)
{
	struct child_end end = child_try(body, &which);

	if (!child_died_of(&end, SIGSEGV)) {
		child_print(what, &end);
		BROKEN("a child that touches its parent's region gets SIGSEGV");
	}
	claim_regions_intact();
}

static void body(const struct round *round)
{
	(void)round;
	random_state = random_seed();
	make_regions();
	for (unsigned i = 0; i < REGIONS; i++) {
		claim_segfault("read_parents", read_parents, i);
		claim_segfault("write_parents", write_parents, i);
	}
	claim_segfault("read_parents_after_own_work", read_parents_after_own_work, 3);
	child_claim("map_ordinarily", map_ordinarily, NULL);
	child_claim("map_where_parents_were", map_where_parents_were, NULL);
	child_claim("work_well", work_well, NULL);
	child_claim("let_the_worker_work", let_the_worker_work, NULL);
	child_claim("free_parents", free_parents, NULL);
	child_claim("have_a_child", have_a_child, NULL);
	claim_regions_intact();
	work_well(NULL);
	for (unsigned i = 0; i < REGIONS; i++)
		lg_region_free(regions[i]);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:20ms" },
	{ "paged", "backing:paged,paged_memory:16M,interval:20ms" },
	{ "paged-inline", "backing:paged,paged_memory:16M,faults:inline,interval:20ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
