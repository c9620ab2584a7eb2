/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever system call of a store fails, once or for ever, opening is an errno with words, reading and
 * writing an errno without; what was written with success is read, if it can be read; errno stays; no descriptor
 * is left open; and once the system works again so does the next store.
 * Method: a little life of each store; the N-th system call fails, N = 1, 2, … until a life has no N-th; alone
 * and with all after it; then each call by name.
 * Oracle: the version of each page that was written last, or that none is known.
 */
#include "fault/pages.h"
#include "fault/system_calls.h"
#include "store/file.h"
#include "store/spill.h"
#include "stress/claim.h"
#include "stress/process.h"

#include <limits.h>
#include <unistd.h>

enum { PAGES = 32, ODD_BYTES = PAGES * PAGE_BYTES - 1000, ANY = -1 };

static const char path[] = "lgalloc-test.stores";
static uint64_t *memory;
static int64_t versions[PAGES]; /* ANY: a write of it failed */
static bool must_succeed;

static bool answered(int result, bool has_words)
{
	CLAIM(result <= 0 && result > -4096);
	if (result == 0)
		return true;
	if (must_succeed) {
		fprintf(stderr, "%d after %s\n", result, system_calls_first_failed());
		BROKEN("all works once the system does");
	}
	CLAIM(!has_words || strstr(lg_error(), "stale") == NULL);
	return false;
}

/* Words from before are not those of what comes now. */
static void spoil_words(void)
{
	CLAIM(lg_configure("stale:1") == -EINVAL);
}

static void write_some(struct lg_store *store, unsigned first, unsigned count, int64_t version)
{
	for (unsigned i = 0; i < count; i++)
		pages_fill(memory + i * PAGE_WORDS, first + i, (uint64_t)version);
	errno = 77;
	bool good = answered(pages_write(store, memory, first, count), false);
	CLAIM(errno == 77);
	for (unsigned i = 0; i < count; i++)
		versions[first + i] = good ? version : ANY;
}

static void read_all(struct lg_store *store)
{
	errno = 77;
	bool good = answered(pages_read(store, memory, 0, PAGES), false);
	CLAIM(errno == 77);
	for (unsigned i = 0; good && i < PAGES; i++) {
		bool odd = i == PAGES - 1 && store->bytes == ODD_BYTES;

		if (versions[i] == ANY)
			continue;
		if (!odd)
			CLAIM(pages_hold(memory + i * PAGE_WORDS, i, (uint64_t)versions[i]));
		else
			CLAIM(memory[(i + 1) * PAGE_WORDS - 1] == 0);
	}
}

static void live(struct lg_store *store)
{
	memset(versions, 0, sizeof(versions));
	read_all(store);
	for (int64_t version = 1; version < 4; version++) {
		write_some(store, 0, PAGES / 2, version);
		write_some(store, PAGES / 2, PAGES / 2, version);
		write_some(store, (unsigned)version, 1, version + 10);
		read_all(store);
		answered(store->calls->flush(store), false);
	}
	(void)store->calls->discard(store, 0, 4 * PAGE_BYTES);
	for (unsigned i = 0; i < 4; i++)
		versions[i] = ANY;
	read_all(store);
	store->calls->close(store);
}

static void scenario(void)
{
	struct lg_store *store = NULL;

	for (unsigned reserve = 0; reserve < 2; reserve++) {
		spoil_words();
		if (answered(lg_spill_open(".", PAGES * PAGE_BYTES, reserve != 0, &store), true))
			live(store);
	}
	unlink(path);
	for (unsigned turn = 0; turn < 2; turn++) {
		spoil_words();
		if (!answered(lg_file_store_open(path, 0, ODD_BYTES, false, true, &store), true))
			continue;
		live(store);
		unlink(path);
	}
	unlink(path);
}

/* Whose descriptor it is cannot be told then, and it is left alone. */
static bool may_leak(const char *failed)
{
	return strncmp(failed, "fstat ", 6) == 0;
}

static unsigned try_one(unsigned first, unsigned count, unsigned variant, const char *only)
{
	unsigned before = process_count("/proc/self/fd"), failed;

	must_succeed = false;
	system_calls_fail(first, count, variant, only);
	scenario();
	failed = system_calls_heal();
	/* Of those that fail for ever only the first is known. */
	if (!may_leak(system_calls_first_failed()) && (count == 1 || only != NULL))
		CLAIM(process_count("/proc/self/fd") == before);
	must_succeed = true;
	if (first % 8 == 1)
		scenario();
	return failed;
}

/* Of the errors a call may give, another each time. */
static void try_each_in_turn(unsigned turn)
{
	unsigned calls = 0;

	while (try_one(calls + 1, 1, turn + calls, NULL) > 0)
		calls++;
	printf("%u calls\n", calls);
	CLAIM(calls > 50);
	for (unsigned first = 1; first <= calls; first += 7)
		try_one(first, UINT_MAX, turn + first, NULL);
}

int main(void)
{
	char directory[] = "/var/tmp/lgalloc-test.XXXXXX";
	unsigned names = 0;

	CLAIM(mkdtemp(directory) != NULL);
	CLAIM(chdir(directory) == 0);
	memory = pages_new(PAGES);
	for (unsigned turn = 0; turn < (getenv("LGALLOC_FAULT_ALL") ? 3 : 1); turn++)
		try_each_in_turn(turn);
	for (unsigned variant = 0; variant < 3; variant++)
		for (unsigned i = 0; system_calls_names[i]; i++)
			names += try_one(1, UINT_MAX, variant, system_calls_names[i]) > 0;
	CLAIM(names > 20);
	CLAIM(chdir("/") == 0);
	CLAIM(rmdir(directory) == 0);
	return EXIT_SUCCESS;
}
