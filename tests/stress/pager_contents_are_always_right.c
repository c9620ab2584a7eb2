/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a map's bytes are those written last, whatever the pager does meanwhile; what a sync returned 0 for is in the store; and
 * no more memory is resident than the budget, in the pager's own books and by the kernel's.
 * Method: scenes until the time is over: a pager and five maps of three times its budget, of memory, files new and old, a
 * slow store. From scene to scene page sizes and policies go round, from where the seed says. Threads read, write, copy, sync,
 * populate, pin and advise at random, give pinned memory to system calls, make and close maps; others change the budget and fork.
 * Oracle: cells.h; samples of the statistics and of /proc/self/statm; a child of fork ends by SIGSEGV. LGALLOC_SEED repeats.
 */
#include "stress/cells.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/delayed.h"
#include "stress/process.h"
#include "stress/rounds.h"
#include "stress/strict_policy.h"

#include <lgalloc/pager.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

enum { WORKERS = 4, RESIZER = 1, SAMPLER = 1, FORKER = 1, MAPS = 5, SHIFT_LOW = 12, SHIFTS = 10 };
enum { THREADS = WORKERS + RESIZER + SAMPLER + FORKER };

#define MIB ((size_t)1 << 20)
#define BUDGET_LEAST (18 * MIB)
#define BUDGET_MOST (40 * MIB)
#define SLACK_BYTES (8 * MIB)
#define OLD_FILE_OFFSET ((size_t)(3 * CELL_BLOCK))

enum kind { MEMORY, NEW_FILE, OLD_FILE, STORE };

static struct scene {
	lg_pager *pager;
	size_t budget; /* under the lock */
	pthread_rwlock_t resizing;
	size_t began_bytes;
	struct one {
		enum kind kind;
		lg_map *map;
		char *data;
		size_t page;
		struct cells cells;
		struct delayed store;
		int fd; /* of the file, for the oracle */
		off_t offset;
		char path[64], options[128];
	} maps[MAPS];
} scene;

static struct crew crew;

static size_t lesser(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- the store, as others see it ---------------------------------------------------------------- */

static void read_stored(const struct one *one, void *buffer, size_t length, size_t offset)
{
	if (one->kind == STORE)
		delayed_copy(buffer, one->store.bytes + offset, length);
	else
		CLAIM(pread(one->fd, buffer, length, one->offset + (off_t)offset) ==
		      (ssize_t)length);
}

static void claim_stored(const struct one *one, size_t cell, const char *when)
{
	char bytes[CELL_BYTES];

	read_stored(one, bytes, CELL_BYTES, cell_offset(cell));
	cell_claim(&one->cells, cell, bytes, when);
}

/* --- accesses ----------------------------------------------------------------------------------- */

static char *cell_at(const struct one *one, size_t cell)
{
	return one->data + cell_offset(cell);
}

static void look(struct one *one, size_t cell)
{
	cell_claim(&one->cells, cell, cell_at(one, cell), "touched");
}

static void store_cell(struct one *one, size_t cell)
{
	uint64_t words[CELL_WORDS];

	cell_next(&one->cells, cell, words);
	memcpy(cell_at(one, cell), words, sizeof(words));
}

static void look_at_pair(struct one *one, size_t cell)
{
	size_t first = cell_first_of_pair(&one->cells, cell);
	char bytes[2 * CELL_BYTES];

	if (first == SIZE_MAX)
		return;
	memcpy(bytes, cell_at(one, first), sizeof(bytes));
	cell_claim(&one->cells, first, bytes, "touched with its neighbour");
	cell_claim(&one->cells, first + 1, bytes + CELL_BYTES, "touched with its neighbour");
}

static void store_pair(struct one *one, size_t cell)
{
	size_t first = cell_first_of_pair(&one->cells, cell);
	uint64_t words[2 * CELL_WORDS];

	if (first == SIZE_MAX)
		return;
	cell_next(&one->cells, first, words);
	cell_next(&one->cells, first + 1, words + CELL_WORDS);
	memcpy(cell_at(one, first), words, sizeof(words));
}

static void copy_pair_out(struct one *one, size_t cell)
{
	size_t first = cell_first_of_pair(&one->cells, cell);
	char bytes[2 * CELL_BYTES];

	if (first == SIZE_MAX)
		return;
	CLAIM(lg_map_read(one->map, bytes, sizeof(bytes), cell_offset(first)) == sizeof(bytes));
	cell_claim(&one->cells, first, bytes, "lg_map_read");
	cell_claim(&one->cells, first + 1, bytes + CELL_BYTES, "lg_map_read");
}

static void copy_pair_in(struct one *one, size_t cell)
{
	size_t first = cell_first_of_pair(&one->cells, cell);
	uint64_t words[2 * CELL_WORDS];

	if (first == SIZE_MAX)
		return;
	cell_next(&one->cells, first, words);
	cell_next(&one->cells, first + 1, words + CELL_WORDS);
	CLAIM(lg_map_write(one->map, words, sizeof(words), cell_offset(first)) == sizeof(words));
}

/* --- in the extent of a thread ------------------------------------------------------------------ */

/* Some range of it, perhaps all. */
static void pick_range(struct one *one, struct crew_member *me, size_t *from, size_t *to)
{
	size_t first, end;

	cells_extent(&one->cells, me->number, &first, &end);
	*from = first + random_below(&me->random, end - first);
	*to = *from + 1 + random_below(&me->random, lesser(end - *from, 4 * MIB));
}

static void scan(struct one *one, struct crew_member *me)
{
	size_t from, to;
	bool writes = random_one_in(&me->random, 2);

	pick_range(one, me, &from, &to);
	for (size_t cell = cell_from(from);
	     cell < one->cells.count && cell_offset(cell) + CELL_BYTES <= to; cell++) {
		if (writes)
			store_cell(one, cell);
		else
			look(one, cell);
	}
}

static void copy_range_out(struct one *one, struct crew_member *me)
{
	static char copies[THREADS][256 << 10]; /* thread-local, the pager's threads had them too */
	size_t from, to;

	pick_range(one, me, &from, &to);
	to = lesser(to, from + sizeof(copies[0]));
	CLAIM(lg_map_read(one->map, copies[me->number], to - from, from) == (ssize_t)(to - from));
	for (size_t cell = cell_from(from);
	     cell < one->cells.count && cell_offset(cell) + CELL_BYTES <= to; cell++)
		cell_claim(&one->cells, cell, copies[me->number] + (cell_offset(cell) - from),
			   "lg_map_read");
}

/* Whole pages read zero from now; those of a file are as the store last had them. */
static void discard(struct one *one, struct crew_member *me)
{
	size_t from, to, page = one->page;

	pick_range(one, me, &from, &to);
	CLAIM(lg_map_advise(one->map, from, to - from, LG_DEAD) == 0);
	from = (from + page - 1) / page * page;
	if (to < one->cells.bytes)
		to = to / page * page;
	for (size_t cell = cell_from(from);
	     cell < one->cells.count && cell_offset(cell) + CELL_BYTES <= to; cell++) {
		if (one->kind == MEMORY) {
			one->cells.versions[cell] = 0;
			if (random_one_in(&me->random, 4))
				look(one, cell);
		} else {
			cell_claim_older(&one->cells, cell, cell_at(one, cell));
			store_cell(one, cell);
		}
	}
}

/* --- calls on any range ------------------------------------------------------------------------- */

static void sync_some(struct one *one, struct crew_member *me)
{
	size_t cell = cells_pick(&one->cells, me->number, &me->random), from = cell_offset(cell);
	size_t length = 1 + random_below(&me->random, lesser(MIB, one->cells.bytes - from));
	size_t end = from + length;

	CLAIM(lg_map_sync(one->map, from, length) == 0);
	for (; one->kind != MEMORY && cell < one->cells.count && cell_offset(cell) < end; cell++)
		if (cell_owner(&one->cells, cell) == me->number)
			claim_stored(one, cell, "synced");
}

static void advise_some(struct one *one, struct crew_member *me)
{
	static const enum lg_advice harmless[] = { LG_WILLNEED,   LG_COLD,   LG_COLD,
						   LG_SEQUENTIAL, LG_RANDOM, LG_NORMAL };
	size_t from = random_below(&me->random, one->cells.bytes);
	size_t most = lesser(one->cells.bytes - from, 2 * MIB);

	CLAIM(lg_map_advise(one->map, from, 1 + random_below(&me->random, most),
			    harmless[random_below(&me->random, 6)]) == 0);
}

static void populate_some(struct one *one, struct crew_member *me)
{
	size_t from = random_below(&me->random, one->cells.bytes);
	size_t most = lesser(one->cells.bytes - from, MIB);

	CLAIM(lg_map_populate(one->map, from, 1 + random_below(&me->random, most)) == 0);
}

/* Pinned memory can be given to the kernel. */
static void pin_some(struct one *one, struct crew_member *me)
{
	size_t cell = cells_pick(&one->cells, me->number, &me->random), from = cell_offset(cell);
	uint64_t words[CELL_WORDS];
	int ends[2], result = lg_map_pin(one->map, from, CELL_BYTES);

	if (result == -ENOMEM && one->page >= MIB / 2)
		return; /* some others like this one are seven eighths of the budget */
	CLAIM(result == 0);
	CLAIM(lg_map_pin(one->map, from, CELL_BYTES) == 0);
	CLAIM(pipe(ends) == 0);
	look(one, cell);
	CLAIM(write(ends[1], cell_at(one, cell), CELL_BYTES) == CELL_BYTES);
	CLAIM(read(ends[0], words, CELL_BYTES) == CELL_BYTES);
	cell_claim(&one->cells, cell, words, "written to a pipe");
	cell_next(&one->cells, cell, words);
	CLAIM(write(ends[1], words, CELL_BYTES) == CELL_BYTES);
	CLAIM(read(ends[0], cell_at(one, cell), CELL_BYTES) == CELL_BYTES);
	look(one, cell);
	close(ends[0]);
	close(ends[1]);
	CLAIM(lg_map_unpin(one->map, from, CELL_BYTES) == 0);
	look(one, cell);
	CLAIM(lg_map_unpin(one->map, from, CELL_BYTES) == 0);
}

/* A map that begins and ends among the others, with pages everywhere: in memory, held back, being written. */
static void live_shortly(struct crew_member *me)
{
	static const char *const options[] = { "page:4K", "page:64K", "page:2M,policy:lifo" };
	struct one one = { .kind = MEMORY };
	size_t bytes = 2 * MIB + random_below(&me->random, 4 * MIB);

	one.map = lg_map_memory(scene.pager, bytes, options[random_below(&me->random, 3)]);
	CLAIM(one.map != NULL);
	one.data = lg_map_data(one.map);
	cells_make(&one.cells, random_next(&me->random), bytes, 1, true);
	for (size_t cell = 0; cell < one.cells.count; cell += 3)
		store_cell(&one, cell);
	for (size_t cell = 0; cell < one.cells.count; cell += 2)
		look(&one, cell);
	cells_end(&one.cells);
	CLAIM(lg_map_close(one.map) == 0);
}

static void act(struct crew_member *me)
{
	struct one *one = &scene.maps[random_below(&me->random, MAPS)];
	size_t cell = cells_pick(&one->cells, me->number, &me->random);

	switch (random_below(&me->random, 64)) {
	case 0:
		sync_some(one, me);
		break;
	case 1:
		advise_some(one, me);
		break;
	case 2:
		populate_some(one, me);
		break;
	case 3:
		pin_some(one, me);
		break;
	case 4:
		scan(one, me);
		break;
	case 5:
		copy_range_out(one, me);
		break;
	case 6:
		if (random_one_in(&me->random, 4))
			discard(one, me);
		break;
	case 7:
		if (random_one_in(&me->random, 64))
			live_shortly(me);
		break;
	case 8:
	case 9:
		copy_pair_in(one, cell);
		break;
	case 10:
	case 11:
		copy_pair_out(one, cell);
		break;
	default:
		switch (random_below(&me->random, 5)) {
		case 0:
			look_at_pair(one, cell);
			break;
		case 1:
			store_pair(one, cell);
			break;
		case 2:
			look(one, cell);
			store_cell(one, cell);
			break;
		case 3:
			store_cell(one, cell);
			break;
		default:
			look(one, cell);
		}
	}
}

static void work(struct crew_member *me)
{
	while (!crew_stopped(me))
		act(me);
}

/* --- the budget --------------------------------------------------------------------------------- */

static size_t resident_bytes(void)
{
	char text[128];
	unsigned long size, resident;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	CLAIM(fd >= 0);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	close(fd);
	CLAIM(got > 0);
	text[got] = '\0';
	CLAIM(sscanf(text, "%lu %lu", &size, &resident) == 2);
	return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void sample_once(void)
{
	struct lg_pager_stats stats;

	if (pthread_rwlock_tryrdlock(&scene.resizing) != 0)
		return;
	CLAIM(lg_pager_stats_read(scene.pager, &stats) == 0);
	CLAIM(stats.budget == scene.budget);
	CLAIM(stats.resident <= scene.budget);
	CLAIM(stats.peak <= BUDGET_MOST);
	CLAIM(stats.pinned <= scene.budget);
	CLAIM(stats.limbo <= stats.budget);
	size_t has = resident_bytes();
	if (!SANITIZED_ADDRESS && !SANITIZED_THREAD &&
	    has > scene.began_bytes + scene.budget + SLACK_BYTES) {
		fprintf(stderr, "%zu bytes resident, %zu before, budget %zu\n", has,
			scene.began_bytes, scene.budget);
		BROKEN("the process has no more memory than the budget and 8 MiB");
	}
	pthread_rwlock_unlock(&scene.resizing);
}

static void sample(struct crew_member *me)
{
	while (!crew_stopped(me)) {
		sample_once();
		clock_breathe();
	}
}

static void resize(struct crew_member *me)
{
	while (!crew_stopped(me)) {
		size_t bytes = BUDGET_LEAST + random_below(&me->random, BUDGET_MOST - BUDGET_LEAST);

		pthread_rwlock_wrlock(&scene.resizing);
		int result = lg_pager_resize(scene.pager, bytes);
		CLAIM(result == 0 || result == -EBUSY);
		if (result == 0)
			scene.budget = bytes;
		pthread_rwlock_unlock(&scene.resizing);
		for (size_t i = random_below(&me->random, 30) + 1; i > 0; i--)
			clock_breathe();
	}
}

/* --- children ----------------------------------------------------------------------------------- */

static _Noreturn void touch_as_a_child(const struct one *one, size_t offset)
{
	const struct rlimit no_core = { 0, 0 };
	char byte = 0;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGSEGV, SIG_DFL);
	if (lg_map_read(one->map, &byte, 1, offset) != -ECHILD ||
	    lg_map_sync(one->map, 0, 0) != -ECHILD)
		_exit(3);
	byte = *(volatile char *)(one->data + offset);
	_exit(byte == 0 ? 4 : 5);
}

static void fork_children(struct crew_member *me)
{
	while (!crew_stopped(me) && !SANITIZED_THREAD) {
		struct one *one = &scene.maps[random_below(&me->random, MAPS)];
		size_t offset = random_below(&me->random, one->cells.bytes);
		pid_t child = process_fork();

		if (child == 0)
			touch_as_a_child(one, offset);
		int status = process_wait(child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSEGV) {
			fprintf(stderr, "wait status %x\n", (unsigned)status);
			BROKEN("a child of fork ends by SIGSEGV");
		}
		for (unsigned i = 0; i < 20; i++)
			clock_breathe();
	}
}

/* --- scenes ------------------------------------------------------------------------------------- */

static void make_old_file(struct one *one)
{
	size_t bytes = one->cells.bytes;
	char *pattern = calloc(1, bytes);

	CLAIM(pattern != NULL);
	cells_draw(&one->cells, pattern);
	one->offset = (off_t)OLD_FILE_OFFSET;
	CLAIM(pwrite(one->fd, pattern, bytes, one->offset) == (ssize_t)bytes);
	CLAIM(pwrite(one->fd, "behind", 6, one->offset + (off_t)bytes) == 6);
	free(pattern);
}

static void make_one(struct one *one, enum kind kind, uint64_t *random, const char *options)
{
	size_t bytes = 12 * MIB + random_below(random, 20 * MIB);

	*one = (struct one){ .kind = kind, .fd = -1 };
	cells_make(&one->cells, random_next(random), bytes, WORKERS,
		   kind == MEMORY || kind == NEW_FILE);
	CLAIM((size_t)snprintf(one->options, sizeof(one->options), "%s%s", options,
			       kind == OLD_FILE ? ",offset:12288" : "") < sizeof(one->options));
	snprintf(one->path, sizeof(one->path), "/var/tmp/lgalloc-test.XXXXXX");
	if (kind == NEW_FILE || kind == OLD_FILE)
		CLAIM((one->fd = mkostemp(one->path, O_CLOEXEC)) >= 0);
	if (kind == OLD_FILE)
		make_old_file(one);
	if (kind == STORE) {
		delayed_make(&one->store, bytes);
		cells_draw(&one->cells, one->store.bytes);
	}
}

static void open_one(struct one *one)
{
	if (one->kind == MEMORY)
		one->map = lg_map_memory(scene.pager, one->cells.bytes, one->options);
	else if (one->kind == STORE)
		one->map = lg_map_store(scene.pager, &delayed_ops, &one->store, one->cells.bytes,
					one->options);
	else
		one->map = lg_map_file(scene.pager, one->path, one->cells.bytes, one->options);
	if (one->map == NULL)
		fprintf(stderr, "%s: %s\n", one->options, lg_error());
	CLAIM(one->map != NULL);
	one->data = lg_map_data(one->map);
	CLAIM(lg_map_size(one->map) == one->cells.bytes);
}

static void close_one(struct one *one)
{
	CLAIM(lg_map_close(one->map) == 0);
	for (size_t cell = 0; one->kind != MEMORY && cell < one->cells.count; cell++)
		claim_stored(one, cell, "closed");
	if (one->kind == STORE) {
		CLAIM(atomic_load(&one->store.closes) == 1);
		delayed_end(&one->store);
	}
	if (one->kind == OLD_FILE) {
		char behind[16];

		CLAIM(pread(one->fd, behind, sizeof(behind),
			    one->offset + (off_t)one->cells.bytes) == 6);
		CLAIM(memcmp(behind, "behind", 6) == 0);
	}
	if (one->kind == NEW_FILE)
		CLAIM(lseek(one->fd, 0, SEEK_END) == (off_t)one->cells.bytes);
	if (one->fd >= 0) {
		CLAIM(unlink(one->path) == 0);
		close(one->fd);
	}
	cells_end(&one->cells);
}

enum { POLICIES = 9, SCENES_AROUND = POLICIES * SHIFTS / MAPS };

/* Page sizes and policies go round from scene to scene, each at its own pace, until all have met. */
static void describe(unsigned scenes, unsigned place, uint64_t *random, char *options, size_t bytes,
		     size_t *page)
{
	static const char policies[][8] = { "clock", "s3fifo", "fifo",   "lifo",  "plru",
					    "prnd",  "wiro_f", "wiro_l", "strict" };
	unsigned turn = scenes * MAPS + place;

	*page = (size_t)1 << (SHIFT_LOW + turn % SHIFTS);
	snprintf(options, bytes, "page:%zuK,policy:%s,prefetch:%s", *page >> 10,
		 policies[(turn + turn / SHIFTS) % POLICIES],
		 random_one_in(random, 4) ? "off" : "on");
}

static void begin_scene(const char *how, unsigned scenes, uint64_t *random)
{
	static const enum kind kinds[MAPS] = { MEMORY, MEMORY, NEW_FILE, OLD_FILE, STORE };
	static const char *const flushes[] = { "0", "0", "10ms", "200ms" };
	char options[128];

	scene.budget = BUDGET_LEAST + random_below(random, BUDGET_MOST - BUDGET_LEAST);
	CLAIM(pthread_rwlock_init(&scene.resizing, NULL) == 0);
	size_t first_kind = random_below(random, MAPS); /* or each had two sizes of page only */
	for (unsigned i = 0; i < MAPS; i++) {
		size_t page;

		describe(scenes, i, random, options, sizeof(options), &page);
		make_one(&scene.maps[i], kinds[(first_kind + i) % MAPS], random, options);
		scene.maps[i].page = page;
		printf(" %s", options);
	}
	scene.began_bytes = resident_bytes();
	snprintf(options, sizeof(options), "memory:%zu,writers:%zu,readers:%zu,flush:%s%s",
		 scene.budget, random_below(random, 2) + 1, random_below(random, 4) + 1,
		 flushes[random_below(random, 4)], how);
	printf(" %s\n", options);
	fflush(stdout);
	scene.pager = lg_pager_new(options);
	if (scene.pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(scene.pager != NULL);
	for (unsigned i = 0; i < MAPS; i++)
		open_one(&scene.maps[i]);
}

static void end_scene(void)
{
	struct lg_pager_stats stats;

	CLAIM(lg_pager_free(scene.pager) == -EBUSY);
	for (unsigned i = 0; i < MAPS; i++)
		close_one(&scene.maps[i]);
	CLAIM(lg_pager_stats_read(scene.pager, &stats) == 0);
	CLAIM(stats.maps == 0);
	CLAIM(stats.map_bytes == 0);
	CLAIM(stats.pinned == 0);
	CLAIM(stats.limbo == 0);
	CLAIM(stats.read_errors == 0);
	CLAIM(stats.write_errors == 0);
	CLAIM(stats.poisoned == 0);
	CLAIM(lg_pager_free(scene.pager) == 0);
	pthread_rwlock_destroy(&scene.resizing);
}

static void play(struct crew_member *me)
{
	if (me->number < WORKERS)
		work(me);
	else if (me->number == WORKERS)
		resize(me);
	else if (me->number == WORKERS + RESIZER)
		sample(me);
	else
		fork_children(me);
}

static const struct round rounds[] = {
	{ "inline", "" },
	{ "threads", "" },
	{ "inline-no-move", "" },
	{ "inline-no-wp", "" },
	{ "threads-no-move-no-poison", "" },
};

static const char *const ways[] = {
	",faults:inline",
	",faults:threads",
	",faults:inline,without:move",
	",faults:inline,without:wp",
	",faults:threads,without:move+poison",
};

static void body(const struct round *round)
{
	uint64_t random = random_seed();
	double seconds = clock_env_seconds("LGALLOC_STRESS_SECONDS", 5), end;
	double each = seconds < 6 ? seconds / 2 : 3;
	unsigned scenes = (unsigned)random_below(&random, SCENES_AROUND);

	strict_policy_register();
	for (end = clock_seconds() + seconds; !clock_passed(end); scenes++) {
		double over = clock_seconds() + each;

		alarm((unsigned)(each + clock_hang_seconds()));
		begin_scene(ways[round - rounds], scenes, &random);
		crew_start(&crew, THREADS, random, play);
		while (!clock_passed(over))
			clock_breathe();
		crew_stop(&crew);
		crew_join(&crew);
		end_scene();
	}
}

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
