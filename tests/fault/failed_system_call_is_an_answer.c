/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever system call fails, once or for ever, every public call returns an answer (NULL and
 * errno, -errno, or success), nobody's bytes change, nothing crashes or hangs, and once the system
 * works again so does the library, with nothing lost and no file left behind.
 * Method: a fixed little scenario of all calls, in a child each time; the N-th of the library's system
 * calls fails, N = 1, 2, … until a run has no N-th call; alone, and with all calls after it; from the
 * first use on, and with regions already there. Then each call by name fails for ever. The errors a
 * call may give take turns; LGALLOC_FAULT_ALL tries each N with each of them.
 * Oracle: the child's wait status; in it the stamps of all regions, then the same scenario with every
 * call required to succeed, then the books; the directory must be empty at the end.
 */
#include "fault/child.h"
#include "fault/system_calls.h"
#include "stress/account.h"
#include "stress/process.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>

enum { SLOTS = 5 };

static struct attempt {
	unsigned first;
	unsigned count;
	unsigned variant;
	const char *only;
	bool warm;       /* regions are there before the failure */
	unsigned *fired; /* shared: how many calls were made to fail */
} attempt;

static const size_t sizes[SLOTS] = { 4096, 1 << 16, 3 << 17, 1 << 20, 1 << 21 };
static const char *round_options;
static lg_region *held[SLOTS];
static uint64_t ids[SLOTS];
static size_t stamped[SLOTS];
static bool must_succeed;

/* Either a success or a full answer: an errno that is one, and words. */
static bool answered(bool success)
{
	int error = errno;

	if (success)
		return true;
	if (must_succeed) {
		fprintf(stderr, "after %s\n", system_calls_first_failed());
		BROKEN("all works once the system does");
	}
	CLAIM(error > 0 && error < 4096);
	CLAIM(*lg_error() != '\0');
	return false;
}

static bool answered_number(int result)
{
	if (result == 0)
		return true;
	errno = -result;
	CLAIM(result < 0 && result > -4096);
	if (must_succeed) {
		fprintf(stderr, "after %s\n", system_calls_first_failed());
		BROKEN("all works once the system does");
	}
	return false;
}

static void claim_contents(void)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (held[i])
			CLAIM(stamp_holds(lg_region_data(held[i]), stamped[i], ids[i]));
}

static void stamp(unsigned i)
{
	static uint64_t next_id;

	ids[i] = ++next_id;
	stamped[i] = lg_region_size(held[i]);
	stamp_write(lg_region_data(held[i]), stamped[i], ids[i]);
}

static void let_go(unsigned i)
{
	if (held[i])
		CLAIM(stamp_holds(lg_region_data(held[i]), stamped[i], ids[i]));
	lg_region_free(held[i]);
	held[i] = NULL;
}

static void allocate_all(bool zeroed)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (held[i])
			continue;
		errno = 0;
		held[i] = zeroed ? lg_region_new_zeroed(sizes[i]) : lg_region_new(sizes[i]);
		if (!answered(held[i] != NULL))
			continue;
		if (zeroed)
			CLAIM(stamp_all_zero(lg_region_data(held[i]), lg_region_size(held[i])));
		stamp(i);
	}
	claim_contents();
}

/* Grown fourfold and shrunk again: only what both sizes have must stay. */
static void resize_all(void)
{
	for (unsigned i = 0; i < SLOTS - 1; i++) {
		lg_region *region;
		size_t bytes;

		if (!held[i])
			continue;
		bytes = lg_region_size(held[i]);
		errno = 0;
		region = lg_region_resize(held[i], 4 * bytes);
		if (!answered(region != NULL)) {
			claim_contents();
			continue;
		}
		CLAIM(lg_region_size(region) == 4 * bytes);
		held[i] = region;
		claim_contents();
		stamp(i);
	}
}

static void advise_all(void)
{
	static const enum lg_advice harmless[] = { LG_SEQUENTIAL, LG_COLD, LG_WILLNEED, LG_RANDOM,
						   LG_NORMAL };

	for (unsigned i = 0; i < SLOTS; i++) {
		if (!held[i])
			continue;
		for (unsigned j = 0; j < sizeof(harmless) / sizeof(harmless[0]); j++)
			answered_number(lg_region_advise(held[i], 0, 0, harmless[j]));
		claim_contents();
		/* After a failed LG_DEAD each byte is unchanged or zero. */
		if (!answered_number(lg_region_advise(held[i], 0, 0, LG_DEAD))) {
			const uint64_t *word = lg_region_data(held[i]);

			CLAIM(word[0] == 0 || word[0] == stamp_word(ids[i], stamped[i], 0));
		}
		stamp(i);
	}
}

static void by_address(void)
{
	char *data;

	errno = 0;
	data = lg_malloc(100000);
	if (answered(data != NULL)) {
		char *larger;

		memset(data, 0x5a, 100000);
		errno = 0;
		larger = lg_realloc(data, 1000000);
		if (answered(larger != NULL))
			data = larger;
		CLAIM(data[0] == 0x5a && memcmp(data, data + 1, 99999) == 0);
		lg_free(data);
	}
	errno = 0;
	data = lg_calloc(1000, 1000);
	if (answered(data != NULL)) {
		CLAIM(stamp_all_zero(data, 1000000));
		lg_free(data);
	}
	errno = 0;
	data = lg_aligned_alloc(1 << 16, 4096);
	if (answered(data != NULL))
		lg_free(data);
}

static void control(void)
{
	struct lg_stats stats;
	struct lg_usage usage;
	int result;

	CLAIM(lg_stats_read(&stats) == 0);
	answered_number(lg_usage_read(&usage));
	CLAIM(lg_configure("cache_bytes:32M,dirty_bytes:256M") == 0);
	lg_thread_flush();
	result = lg_trim();
	CLAIM(result == 0 || (result == -EIO && !must_succeed));
	claim_contents();
}

static void scenario(void)
{
	allocate_all(false);
	control();
	resize_all();
	advise_all();
	by_address();
	for (unsigned i = 0; i < SLOTS; i += 2)
		let_go(i);
	control();
	allocate_all(true);
	for (unsigned i = 0; i < SLOTS; i++)
		let_go(i);
	control();
}

static void run_attempt(void *unused)
{
	(void)unused;
	if (attempt.warm) {
		must_succeed = true;
		allocate_all(false);
		for (unsigned i = 0; i < SLOTS; i += 3)
			let_go(i);
		must_succeed = false;
	}
	system_calls_fail(attempt.first, attempt.count, attempt.variant, attempt.only);
	scenario();
	*attempt.fired = system_calls_heal();
	claim_contents();
	must_succeed = true;
	scenario();
	account_claim_nothing_lost();
}

static unsigned try_one(void)
{
	struct child_end end;

	*attempt.fired = 0;
	end = child_try(run_attempt, NULL);
	if (!child_ended_well(&end)) {
		child_print(round_options, &end);
		fprintf(stderr, "calls from %u, %u of them, variant %u, %s, %s\n", attempt.first,
			attempt.count, attempt.variant, attempt.only ? attempt.only : "any name",
			attempt.warm ? "warm" : "cold");
		BROKEN("a failed system call is an answer");
	}
	return *attempt.fired;
}

static void try_each_in_turn(unsigned count, unsigned variant, bool warm)
{
	unsigned first = 1;

	attempt.count = count;
	attempt.only = NULL;
	attempt.warm = warm;
	do {
		attempt.first = first++;
		attempt.variant = variant + first;
	} while (try_one() > 0);
	printf("%u calls, failing %s, %s\n", first - 2, count == 1 ? "once" : "for ever",
	       warm ? "warm" : "cold");
	CLAIM(first > 10); /* the wrapping works */
}

static void try_each_name(unsigned variant, bool warm)
{
	unsigned names = 0;

	for (unsigned i = 0; system_calls_names[i]; i++) {
		attempt = (struct attempt){ 1,    UINT_MAX,     variant, system_calls_names[i],
					    warm, attempt.fired };
		names += try_one() > 0;
	}
	CLAIM(names > 3);
}

/* A backing file has no name. */
static bool is_empty(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	unsigned names = 0;

	CLAIM(entries != NULL);
	while ((entry = readdir(entries)) != NULL)
		names += entry->d_name[0] != '.';
	closedir(entries);
	return names == 0;
}

static void try_all(void)
{
	for (unsigned turn = 0; turn < (getenv("LGALLOC_FAULT_ALL") ? 3 : 1); turn++) {
		for (unsigned warm = 0; warm < 2; warm++) {
			for (unsigned variant = 0; variant < 3; variant++)
				try_each_name(variant, warm);
			try_each_in_turn(1, turn + warm, warm);
			try_each_in_turn(UINT_MAX, turn + warm + 1, warm);
		}
	}
}

/* The tries are made in a child without an alarm, so that the parent always comes back to clean up. */
static int in_a_child(void)
{
	pid_t child = process_fork();

	if (child == 0) {
		try_all();
		fflush(NULL);
		_exit(EXIT_SUCCESS);
	}
	return process_wait(child);
}

static void body(const struct round *round)
{
	char directory[] = "/var/tmp/lgalloc-test.XXXXXX";
	char option[sizeof(directory) + 8];
	bool empty;
	int status;

	round_options = round->options;
	attempt.fired = mmap(NULL, sizeof(*attempt.fired), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CLAIM(attempt.fired != MAP_FAILED);
	CLAIM(mkdtemp(directory) != NULL);
	snprintf(option, sizeof(option), "dir:%s", directory);
	CLAIM(lg_configure(option) == 0);
	status = in_a_child();
	empty = is_empty(directory);
	CLAIM(rmdir(directory) == 0 || !empty);
	CLAIM(empty);
	CLAIM(WIFEXITED(status));
	CLAIM(WEXITSTATUS(status) == EXIT_SUCCESS);
}

static const struct round rounds[] = {
	{ "file", "backing:file,background:off,area_max:64M" },
	{ "anon", "backing:anon,background:off,area_max:64M" },
	{ "file-unreserved", "backing:file,background:off,reserve:off,area_max:64M" },
	{ "file-worker", "backing:file,interval:1ms,area_max:64M" },
	{ "anon-worker", "backing:anon,interval:1ms,second_decay:0,area_max:64M" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
