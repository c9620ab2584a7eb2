/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever system call of a pager fails, once or for a while, every call of it is an answer (NULL and errno with words,
 * -errno, or success), nobody's bytes change, nothing crashes or hangs, and once the system works again so does the pager; when
 * it has ended no descriptor, thread, mapping or file of it is left.
 * Method: a little life of a pager with maps of memory, of a file and of a store of the program's, all larger than its budget, in a
 * child each time; the N-th system call fails, N = 1, 2, … until a life has no N-th; alone, and with many after it; then each
 * call by name. Between the calls of the library, which are what fails, the maps are touched, and meanwhile the system works; then
 * once more with touches that fail as well, of which a child may die by SIGBUS and in no other way.
 * Not for ever: what a page lacks that others use by now is asked for until the kernel has it.
 * Oracle: the version of each page that was written last; the file's bytes behind a close that succeeded; a second life that must
 * succeed in all; what the process has then is what it has behind two lives in which nothing failed.
 */
#include "fault/child.h"
#include "fault/system_calls.h"
#include "stress/random.h"

#include <lgalloc/pager.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>

enum {
	PAGES_MOST = 24,
	STAMP_WORDS = 512,
	PINNED = 2,
	MANY = 120,
	FEWER = 8,
	BYTES_MOST = 20 << 20
};
enum kind { MEMORY, FILE_ON_DISK, STORE, KINDS };

static const struct round {
	const char *name;
	const char *options;
	size_t page;
	size_t memory;
	unsigned pages; /* of each map */
} rounds[] = {
	{ "inline", "faults:inline,trace:trace", 64 << 10, 1 << 20, PAGES_MOST },
	{ "threads", "faults:threads", 64 << 10, 1 << 20, PAGES_MOST },
	{ "huge", "faults:inline,prefetch:off", 2 << 20, 20 << 20, 10 },
	{ "in-place", "faults:inline,without:move", 64 << 10, 1 << 20, PAGES_MOST },
};

/* What a process has. */
struct remains {
	unsigned descriptors;
	unsigned threads;
	unsigned long pages; /* of addresses */
};

static struct shared {
	unsigned fired;
	struct remains expected;
} * shared;

static struct attempt {
	unsigned first;
	unsigned count;
	unsigned variant;
	const char *only;
	bool touches; /* fail, too */
} attempt;

static const struct round *of_round;
static lg_pager *pager;
static struct {
	lg_map *map;
	uint64_t versions[PAGES_MOST];
} places[KINDS];
static uint64_t next_version;
static bool must_succeed;
static bool all_of_them; /* calls; else some */
static uint64_t random_state;
static char *stored; /* what the program's own store has */
static int stores_open;
static const char file_path[] = "file";

/* --- answers ------------------------------------------------------------------------------------ */

static void claim_may_fail(void)
{
	if (!must_succeed)
		return;
	fprintf(stderr, "after %s\n", system_calls_first_failed());
	BROKEN("all works once the system does");
}

static bool is_made(const void *made)
{
	int error = errno;

	if (made != NULL)
		return true;
	claim_may_fail();
	CLAIM(error > 0 && error < 4096);
	CLAIM(*lg_error() != '\0');
	CLAIM(strstr(lg_error(), "stale") == NULL);
	return false;
}

static bool answered(int result)
{
	if (result == 0)
		return true;
	CLAIM(result < 0 && result > -4096);
	errno = -result;
	claim_may_fail();
	return false;
}

/* Words from before are not those of what comes now. */
static void spoil_words(void)
{
	CLAIM(lg_configure("stale:1") == -EINVAL);
	errno = 0;
}

/* --- pages -------------------------------------------------------------------------------------- */

static uint64_t word_of(enum kind kind, unsigned page, uint64_t version, unsigned i)
{
	return version == 0 ? 0 : (uint64_t)kind << 56 ^ (uint64_t)page << 40 ^ version << 16 ^ i;
}

static bool holds(const uint64_t *words, enum kind kind, unsigned page, uint64_t version)
{
	for (unsigned i = 0; i < STAMP_WORDS; i++)
		if (words[i] != word_of(kind, page, version, i))
			return false;
	return true;
}

static void write_pages(enum kind kind, unsigned from, unsigned to)
{
	uint64_t words[STAMP_WORDS];

	for (unsigned page = from; places[kind].map != NULL && page < to; page++) {
		uint64_t version = ++next_version;

		for (unsigned i = 0; i < STAMP_WORDS; i++)
			words[i] = word_of(kind, page, version, i);
		ssize_t done =
			lg_map_write(places[kind].map, words, sizeof(words), page * of_round->page);
		if (done == (ssize_t)sizeof(words))
			places[kind].versions[page] = version;
		else if (!answered((int)done))
			return; /* a disk that fails is waited for half a second each time */
	}
}

static void read_pages(enum kind kind)
{
	uint64_t words[STAMP_WORDS];

	for (unsigned page = 0; places[kind].map != NULL && page < of_round->pages; page++) {
		ssize_t done =
			lg_map_read(places[kind].map, words, sizeof(words), page * of_round->page);

		if (done == (ssize_t)sizeof(words))
			CLAIM(holds(words, kind, page, places[kind].versions[page]));
		else if (!answered((int)done))
			return;
	}
}

/* What could not be read is again; each second page is written as well. */
static void touch_pages(enum kind kind)
{
	lg_map *map = places[kind].map;

	system_calls_hold(!attempt.touches);
	for (unsigned page = 0; map != NULL && page < of_round->pages; page++) {
		uint64_t *words =
			(uint64_t *)(void *)((char *)lg_map_data(map) + page * of_round->page);

		if (lg_map_error(map, words) != 0)
			CLAIM(lg_map_retry(map) > 0);
		CLAIM(holds(words, kind, page, places[kind].versions[page]));
		if (page % 2 == 0)
			continue;
		places[kind].versions[page] = ++next_version;
		for (unsigned i = 0; i < STAMP_WORDS; i++)
			words[i] = word_of(kind, page, next_version, i);
	}
	system_calls_hold(false);
}

/* --- a life ------------------------------------------------------------------------------------- */

static ssize_t read_stored(void *context, void *buffer, size_t length, uint64_t offset)
{
	memcpy(buffer, (char *)context + offset, length);
	return (ssize_t)length;
}

static ssize_t write_stored(void *context, const void *buffer, size_t length, uint64_t offset)
{
	memcpy((char *)context + offset, buffer, length);
	return (ssize_t)length;
}

static void close_stored(void *context)
{
	(void)context;
	stores_open--;
}

static const struct lg_store_ops store_ops = {
	.size = sizeof(store_ops),
	.read = read_stored,
	.write = write_stored,
	.close = close_stored,
	.signal_safe = true,
};

static lg_map *make(enum kind kind, size_t bytes)
{
	switch (kind) {
	case MEMORY:
		return lg_map_memory(pager, bytes, NULL);
	case FILE_ON_DISK:
		return lg_map_file(pager, file_path, bytes, NULL);
	case STORE:
		stores_open++;
		return lg_map_store(pager, &store_ops, stored, bytes, NULL);
	case KINDS:
		break;
	}
	return NULL;
}

static void make_maps(void)
{
	size_t bytes = of_round->pages * of_round->page;

	for (enum kind kind = 0; kind < KINDS; kind++) {
		memset(places[kind].versions, 0, sizeof(places[kind].versions));
		if (kind == FILE_ON_DISK)
			unlink(file_path);
		if (kind == STORE)
			memset(stored, 0, bytes);
		spoil_words();
		places[kind].map = make(kind, bytes);
		if (is_made(places[kind].map))
			CLAIM(lg_map_size(places[kind].map) == bytes);
	}
}

static void advise(lg_map *map)
{
	static const enum lg_advice harmless[] = { LG_COLD, LG_SEQUENTIAL, LG_WILLNEED };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		answered(lg_map_advise(map, 0, 0, harmless[i]));
}

static void pin(lg_map *map)
{
	if (answered(lg_map_pin(map, 0, PINNED * of_round->page)))
		CLAIM(lg_map_unpin(map, 0, PINNED * of_round->page) == 0);
}

static void live_with(enum kind kind)
{
	lg_map *map = places[kind].map;

	if (map == NULL)
		return;
	answered(lg_map_sync(map, 0, 0));
	touch_pages(kind);
	pin(map);
	answered(lg_map_populate(map, 0, 0));
	advise(map);
	write_pages(kind, of_round->pages / 2, of_round->pages);
	if (kind == MEMORY && answered(lg_map_advise(map, 0, PINNED * of_round->page, LG_DEAD)))
		memset(places[kind].versions, 0, PINNED * sizeof(places[kind].versions[0]));
	read_pages(kind);
	touch_pages(kind);
}

static void claim_file(void)
{
	uint64_t words[STAMP_WORDS];
	int fd;

	system_calls_hold(true);
	fd = open(file_path, O_RDONLY | O_CLOEXEC);
	CLAIM(fd >= 0);
	for (unsigned page = 0; page < of_round->pages; page++) {
		off_t at = (off_t)(page * of_round->page);

		CLAIM(pread(fd, words, sizeof(words), at) == (ssize_t)sizeof(words));
		CLAIM(holds(words, FILE_ON_DISK, page, places[FILE_ON_DISK].versions[page]));
	}
	close(fd);
	system_calls_hold(false);
}

static void close_maps(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		bool closed = places[kind].map != NULL && answered(lg_map_close(places[kind].map));

		places[kind].map = NULL;
		if (closed && kind == FILE_ON_DISK)
			claim_file();
	}
	CLAIM(stores_open == 0);
}

static void life(void)
{
	char options[128];

	snprintf(options, sizeof(options), "memory:%zu,page:%zu,dir:.,%s", of_round->memory,
		 of_round->page, of_round->options);
	spoil_words();
	pager = lg_pager_new(options);
	if (!is_made(pager))
		return;
	make_maps();
	for (enum kind kind = 0; kind < KINDS; kind++)
		write_pages(kind, 0, of_round->pages);
	for (enum kind kind = 0; kind < KINDS; kind++)
		live_with(kind);
	answered(lg_pager_resize(pager, of_round->memory / 5 * 4));
	for (enum kind kind = 0; kind < KINDS; kind++)
		read_pages(kind);
	answered(lg_pager_resize(pager, of_round->memory));
	close_maps();
	CLAIM(lg_pager_free(pager) == 0);
}

/* --- what is left ------------------------------------------------------------------------------- */

static struct remains what_is_left(void)
{
	struct remains left = { .descriptors = process_count("/proc/self/fd"),
				.threads = process_count("/proc/self/task") };
	FILE *file = fopen("/proc/self/statm", "r");

	CLAIM(file != NULL);
	CLAIM(fscanf(file, "%lu", &left.pages) == 1);
	fclose(file);
	return left;
}

static bool was_first_failed(const char *name)
{
	return strncmp(system_calls_first_failed(), name, strlen(name)) == 0;
}

/*
 * Nobody can tell whose a descriptor is of which fstat says nothing. A mapping that munmap leaves stays; the C library keeps stacks of
 * threads, of as many as there were at once, and a larger one if it could not be had with ours.
 */
static bool is_as_expected(const struct remains *left, bool is_whole)
{
	const struct remains *expected = &shared->expected;
	bool known = attempt.count == 1 || attempt.only != NULL; /* else only the first is */

	return left->threads == expected->threads &&
	       (left->descriptors == expected->descriptors || !known ||
		was_first_failed("fstat ")) &&
	       (left->pages == expected->pages || !known || !is_whole ||
		was_first_failed("munmap ") || was_first_failed("pthread_create "));
}

/* Once the system works again a whole life must succeed: where a pager and its maps are made, and then now and then, for it takes long. */
static void run_attempt(void *unused)
{
	enum { BEGINNING = 150, SOME = 8 };
	bool is_whole = attempt.count == 0 || attempt.only != NULL || attempt.first % SOME == 1 ||
			(attempt.count == 1 && !attempt.touches && attempt.first < BEGINNING);
	struct remains left;

	(void)unused;
	(void)what_is_left(); /* what it takes to ask is the same each time */
	system_calls_fail(attempt.first, attempt.count, attempt.variant, attempt.only);
	life();
	shared->fired = system_calls_heal();
	attempt.touches = false;
	must_succeed = true;
	if (is_whole)
		life();
	left = what_is_left();
	if (shared->expected.threads == 0)
		shared->expected = left;
	if (is_as_expected(&left, is_whole))
		return;
	fprintf(stderr,
		"after %s left: %u descriptors, %u threads, %lu pages; expected: %u, %u, %lu\n",
		system_calls_first_failed(), left.descriptors, left.threads, left.pages,
		shared->expected.descriptors, shared->expected.threads, shared->expected.pages);
	BROKEN("nothing is left behind");
}

/* The spill has no name. */
static void clear_directory(void)
{
	DIR *entries = opendir(".");
	struct dirent *entry;

	CLAIM(entries != NULL);
	while ((entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		CLAIM(strcmp(entry->d_name, file_path) == 0 ||
		      strncmp(entry->d_name, "trace", 5) == 0);
		CLAIM(unlink(entry->d_name) == 0);
	}
	closedir(entries);
}

static unsigned try_one(struct attempt what)
{
	struct child_end end;

	attempt = what;
	shared->fired = 0;
	end = child_try(run_attempt, NULL);
	clear_directory();
	if (what.touches && child_died_of(&end, SIGBUS))
		return 1;
	if (!child_ended_well(&end)) {
		child_print(of_round->name, &end);
		fprintf(stderr, "calls from %u, %u of them, variant %u, %s, touches %s\n",
			what.first, what.count, what.variant, what.only ? what.only : "any name",
			what.touches ? "fail" : "work");
		BROKEN("a failed system call is an answer");
	}
	return shared->fired;
}

/* Many of the calls that a pager and its maps begin with, others with each seed, and ever fewer of those that come again. */
static void try_each_in_turn(unsigned count, unsigned step, unsigned variant, bool touches)
{
	unsigned first = 1 + (all_of_them ? 0 : (unsigned)random_below(&random_state, step));
	unsigned tries = 0;

	for (; try_one((struct attempt){ first, count, variant + first, NULL, touches }) > 0;
	     tries++)
		first += all_of_them ? 1 : step + first / FEWER;
	printf("of %u calls %u fail, %u at once, touches %s\n", first - 1, tries, count,
	       touches ? "too" : "not");
	CLAIM(first > 100);
}

static void try_each_name(unsigned variant)
{
	unsigned names = 0;

	for (unsigned i = 0; system_calls_names[i]; i++)
		names += try_one((struct attempt){ 1, MANY, variant, system_calls_names[i],
						   false }) > 0;
	printf("%u names, variant %u\n", names, variant);
	CLAIM(names > 15);
}

static void try_all(void)
{
	(void)try_one((struct attempt){ UINT_MAX, 0, 0, NULL, false }); /* which nothing fails in */
	all_of_them = getenv("LGALLOC_FAULT_ALL") != NULL;
	random_state = random_seed();
	for (unsigned turn = 0; turn < (all_of_them ? 3 : 1); turn++) {
		unsigned variant = all_of_them ? turn : (unsigned)random_below(&random_state, 3);

		try_each_name(variant);
		try_each_in_turn(1, 2, variant, false);
		try_each_in_turn(MANY, 14, variant + 1, false);
		try_each_in_turn(1, 10, variant + 2, true);
	}
}

/* In a child, so that the parent always comes back to clean up. */
static void in_a_directory(void)
{
	char directory[] = "/var/tmp/lgalloc-test.XXXXXX";
	int status;

	CLAIM(mkdtemp(directory) != NULL);
	CLAIM(chdir(directory) == 0);
	pid_t child = process_fork();
	if (child == 0) {
		try_all();
		fflush(NULL);
		_exit(EXIT_SUCCESS);
	}
	status = process_wait(child);
	clear_directory();
	CLAIM(chdir("/") == 0);
	CLAIM(rmdir(directory) == 0);
	CLAIM(WIFEXITED(status));
	CLAIM(WEXITSTATUS(status) == EXIT_SUCCESS);
}

/* Whether this machine can have such pagers, a child tells. */
static void ask(void *options)
{
	lg_pager *asked = lg_pager_new(options);

	if (asked == NULL)
		SKIP("%s", lg_error());
	CLAIM(lg_pager_free(asked) == 0);
}

static bool run_round(const struct round *round)
{
	char options[64];

	snprintf(options, sizeof(options), "memory:1M,%.*s", (int)strcspn(round->options, ","),
		 round->options);
	if (!child_claim("the pager", ask, options))
		return false;
	of_round = round;
	in_a_directory();
	return true;
}

int main(int argc, char **argv)
{
	unsigned run = 0;

	CLAIM(lg_configure("background:off") == 0);
	system_calls_let_drops_succeed();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	CLAIM(shared != MAP_FAILED);
	stored = mmap(NULL, BYTES_MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CLAIM(stored != MAP_FAILED);
	for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		if (argc > 1 && strcmp(argv[1], rounds[i].name) != 0)
			continue;
		memset(shared, 0, sizeof(*shared));
		run += run_round(&rounds[i]);
	}
	return run > 0 ? EXIT_SUCCESS : EXIT_SKIPPED;
}
