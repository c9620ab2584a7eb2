/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whenever the power is cut, and whatever subset of the sectors not yet flushed arrived, the heap opens, and
 * is the last commit that had returned, or the one in flight, whole: data, roots, and no object too many.
 * Method: a seeded program of allocations, frees, changes, commits, rollbacks, checkpoints, with a commit of another thread
 * between any two of their calls, and reopenings runs on a disk that remembers (power.h). Then for each point of its log the file is made as a cut there would have left it,
 * and read. Some are recovered for writing, changed, committed and checked; some are cut again in their recovery.
 * Oracle: a copy of the model at each commit, and where in the log the commit began and returned.
 * Where both superblocks are whole after the cut, one of them rots as well: nothing else may come of it.
 * That it can fail: the same with a heap that leaves out the flush behind each record, or behind each superblock, or its
 * copy, or before them; each has to be found.
 *
 * Arguments: seeds (default 6), first seed. LGALLOC_POWER_SEEDS has the same meaning as the first.
 */
#include "heap/checkpoint.h"
#include "heap/heap.h"
#include "power.h"

#include <lgalloc/lgalloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { OBJECTS = 120, STEPS = 420, STATES = 3 * STEPS, LARGE_MAX = 2500000 };

struct object {
	lg_ref ref;
	uint64_t bytes;
	uint64_t stamp;
};

struct directory {
	uint64_t generation;
	struct object objects[OBJECTS];
};

/* The model at a commit; generation 0 is the empty heap. */
struct state {
	struct directory directory;
	size_t begins; /* events before it began, and before it returned */
	size_t returns;
};

enum { MUTANT_SEEDS = 3, ORDERS = 4 };

static struct state states[STATES];
static size_t state_count;
static struct power power;
static uint64_t seed, cuts, recoveries, recuts, in_flight, rotted, meanwhiles;
static char live_path[64], durable_path[64], cut_path[64], again_path[64];

#define MUST(what) ((what) ? (void)0 : fail(#what, __LINE__))

static void fail(const char *what, int line)
{
	fprintf(stderr, "seed %llu, line %d: %s does not hold: %s\n", (unsigned long long)seed,
		line, what, lg_error());
	abort();
}

static struct directory *directory_of(lg_heap *heap)
{
	return lg_heap_at(heap, lg_heap_root_get(heap, "directory"));
}

static void fill(lg_heap *heap, const struct object *object)
{
	unsigned char *bytes = lg_heap_at(heap, object->ref);

	/* Ends and one byte of each page: enough to tell, and quick. */
	for (uint64_t i = 0; i < object->bytes; i += i + 512 < object->bytes ? 512 : 1)
		bytes[i] = (unsigned char)(object->stamp * 31 + i / 512 + i);
}

static bool is_filled(lg_heap *heap, const struct object *object)
{
	const unsigned char *bytes = lg_heap_at(heap, object->ref);

	for (uint64_t i = 0; i < object->bytes; i += i + 512 < object->bytes ? 512 : 1)
		if (bytes[i] != (unsigned char)(object->stamp * 31 + i / 512 + i)) {
			fprintf(stderr, "object at %#llx: byte %llu of %llu is %d, page %llu\n",
				(unsigned long long)object->ref, (unsigned long long)i,
				(unsigned long long)object->bytes, bytes[i],
				(unsigned long long)(object->ref + i) / 4096);
			return false;
		}
	return true;
}

static uint64_t size_of_next(void)
{
	uint64_t dice = power_random(&power.random) % 100;

	if (dice < 60)
		return 1 + power_random(&power.random) % 600;
	if (dice < 85)
		return 1 + power_random(&power.random) % 9000;
	if (dice < 97)
		return 1 + power_random(&power.random) % 120000;
	return 1 + power_random(&power.random) % LARGE_MAX;
}

/* One change of one object. */
static void change(lg_heap *heap)
{
	struct directory *directory = directory_of(heap);
	struct object *object = &directory->objects[power_random(&power.random) % OBJECTS];
	uint64_t dice = power_random(&power.random) % 4;

	lg_heap_begin(heap);
	if (object->ref == 0) {
		object->bytes = size_of_next();
		void *memory = lg_heap_alloc(heap, object->bytes);
		MUST(memory != NULL);
		object->ref = lg_heap_ref(heap, memory);
	} else if (dice == 0) {
		MUST(lg_heap_free(heap, lg_heap_at(heap, object->ref)) == 0);
		*object = (struct object){ 0 };
	} else if (dice == 1) {
		object->bytes = size_of_next();
		void *memory = lg_heap_realloc(heap, lg_heap_at(heap, object->ref), object->bytes);
		MUST(memory != NULL);
		object->ref = lg_heap_ref(heap, memory);
	}
	object->stamp = power_random(&power.random);
	if (object->ref != 0)
		fill(heap, object);
	lg_heap_end(heap);
}

static void commit(lg_heap *heap)
{
	struct directory *directory = directory_of(heap);
	struct state *state = &states[state_count];

	directory->generation = state_count++;
	state->directory = *directory;
	state->begins = power.count;
	MUST(lg_heap_commit(heap) == 0);
	state->returns = power.count;
}

static lg_heap *checkpointed;

/* Little, so that it needs no checkpoint for itself; there is one. */
static void commit_meanwhile(void)
{
	struct directory *directory = directory_of(checkpointed);

	for (unsigned i = 0; i < OBJECTS; i++) {
		struct object *object = &directory->objects[i];

		if (object->ref == 0 || object->bytes > 9000)
			continue;
		object->stamp = power_random(&power.random);
		fill(checkpointed, object);
		break;
	}
	commit(checkpointed);
	meanwhiles++;
}

static void checkpoint(lg_heap *heap)
{
	enum { ROOM = 256 << 10, CALLS = 64 };

	commit(heap); /* what was changed before would be in the other thread's commit */
	if (seed % 3 != 2 && heap->ring_used < heap->ring_bytes / 2 &&
	    heap->ring_bytes - heap->ring_used > ROOM) {
		checkpointed = heap;
		power.calls_before = (unsigned)(power_random(&power.random) % CALLS);
		power.meanwhile = commit_meanwhile;
	}
	MUST(lg_checkpoint_run(heap) == 0);
	power.meanwhile = NULL;
}

static lg_heap *open_live(const char *options)
{
	struct lg_heap_setup setup = { .ops = &power_ops,
				       .context = &power,
				       .foreground = true,
				       .old_kernel = seed % 3 == 2 };
	lg_heap *heap = lg_heap_open_with(live_path, options, &setup);

	MUST(heap != NULL);
	return heap;
}

static void run_program(void)
{
	static const char *const journals[] = { "64K", "256K", "1M" };
	char options[64];

	snprintf(options, sizeof(options), "create:on,reserve:1G,journal:%s", journals[seed % 3]);
	lg_heap *heap = open_live(options);
	power_forget(&power); /* the file was given its name after all of it was flushed */
	int live = open(live_path, O_RDONLY | O_CLOEXEC);
	power_copy(live, durable_path);
	close(live);
	void *memory = lg_heap_calloc(heap, 1, sizeof(struct directory));
	MUST(lg_heap_root_set(heap, "directory", lg_heap_ref(heap, memory)) == 0);
	memset(states, 0, sizeof(states));
	state_count = 1;
	commit(heap);
	for (int step = 0; step < STEPS; step++) {
		uint64_t dice = power_random(&power.random) % 100;

		if (dice < 80) {
			change(heap);
		} else if (dice < 92) {
			commit(heap);
		} else if (dice < 94) {
			MUST(lg_heap_rollback(heap) == 0);
		} else if (dice < 97) {
			checkpoint(heap);
		} else if (dice < 98) {
			MUST(lg_heap_close(heap) == 0);
			heap = open_live("reserve:1G");
		}
	}
	MUST(lg_heap_close(heap) == 0);
}

/* The state that the heap is in, after comparing all of it. */
static size_t state_of(lg_heap *heap, size_t low, size_t high)
{
	struct directory *directory = directory_of(heap);
	struct lg_heap_stats stats;
	uint64_t objects = 0;

	MUST(lg_heap_stats_read(heap, &stats) == 0);
	if (directory == NULL) {
		MUST(low == 0);
		MUST(stats.objects == 0);
		return 0;
	}
	size_t generation = directory->generation;
	MUST(generation >= low);
	MUST(generation <= high);
	MUST(memcmp(directory, &states[generation].directory, sizeof(*directory)) == 0);
	for (unsigned i = 0; i < OBJECTS; i++)
		if (directory->objects[i].ref != 0) {
			MUST(is_filled(heap, &directory->objects[i]));
			MUST(lg_heap_usable_size(heap,
						 lg_heap_at(heap, directory->objects[i].ref)) >=
			     directory->objects[i].bytes);
			objects++;
		}
	MUST(stats.objects == objects + 1);
	return generation;
}

static size_t read_state(const char *path, size_t low, size_t high)
{
	lg_heap *heap = lg_heap_open(path, "readonly:on,reserve:1G");

	MUST(heap != NULL);
	size_t state = state_of(heap, low, high);
	MUST(lg_heap_close(heap) == 0);
	return state;
}

/* Recovered for writing, with a log; cut in that; and used on. */
static void recover(size_t state)
{
	struct power second = { .random = power.random };
	struct lg_heap_setup setup = { .ops = &power_ops, .context = &second, .foreground = true };
	int before = open(cut_path, O_RDONLY | O_CLOEXEC);

	power_copy(before, again_path);
	close(before);
	lg_heap *heap = lg_heap_open_with(cut_path, "reserve:1G", &setup);
	MUST(heap != NULL);
	MUST(state_of(heap, state, state) == state);
	size_t at = second.count > 0 ? power_random(&second.random) % (second.count + 1) : 0;
	size_t flushed = 0;
	int again = open(again_path, O_RDWR | O_CLOEXEC);
	for (size_t i = 0; i < at; i++)
		if (second.events[i].kind == POWER_SYNC)
			flushed = i;
	for (size_t i = 0; i < at; i++)
		power_apply(again, &second.events[i], i < flushed ? POWER_ALL : POWER_SOME,
			    &second.random);
	close(again);
	MUST(read_state(again_path, state, state) == state);
	recuts++;
	/* What commits that did not come about had written home must not be taken for zeros. */
	unsigned char *zeros = lg_heap_calloc(heap, 1, LARGE_MAX);
	MUST(zeros != NULL);
	for (uint64_t i = 0; i < LARGE_MAX; i += 512)
		MUST(zeros[i] == 0);
	MUST(lg_heap_free(heap, zeros) == 0);
	void *more = lg_heap_alloc(heap, 3000);
	MUST(more != NULL);
	memset(more, 1, 3000);
	MUST(lg_heap_commit(heap) == 0);
	MUST(lg_heap_free(heap, more) == 0);
	MUST(lg_heap_commit(heap) == 0);
	MUST(lg_heap_close(heap) == 0);
	MUST(read_state(cut_path, state, state) == state);
	MUST(lg_heap_check(cut_path, 0, stderr) == 0);
	power_forget(&second);
	free(second.events);
	recoveries++;
}

/* A bit of one superblock has changed, where there are two; and is as it was again. */
static void rot(int durable, size_t low, size_t high)
{
	struct lg_super supers[2];

	for (int i = 0; i < 2; i++)
		MUST(pread(durable, &supers[i], sizeof(supers[i]), i * LG_HEAP_PAGE) ==
		     sizeof(supers[i]));
	if (lg_super_check(&supers[0]) != NULL || lg_super_check(&supers[1]) != NULL)
		return;
	int place = (int)(power_random(&power.random) % 2);
	struct lg_super *super = &supers[place];
	super->salt ^= 1;
	power_put(durable, (const char *)super, sizeof(*super), (uint64_t)place * LG_HEAP_PAGE);
	(void)read_state(durable_path, low, high);
	super->salt ^= 1;
	power_put(durable, (const char *)super, sizeof(*super), (uint64_t)place * LG_HEAP_PAGE);
	rotted++;
}

/* The cut is made in the file of what was flushed, and undone when it has been read. */
static void cut(int durable, size_t flushed, size_t at, enum power_fate fate, bool recovers)
{
	struct power_event *saved = calloc(at - flushed + 1, sizeof(*saved));
	uint64_t size = power_size(durable);
	size_t low = 0, high = 0;

	for (size_t i = 1; i < state_count; i++) {
		if (states[i].returns <= at)
			low = i;
		if (states[i].begins < at || states[i].returns <= at)
			high = i;
	}
	for (size_t i = flushed; i < at; i++) {
		saved[i - flushed] = power_save(durable, &power.events[i]);
		power_apply(durable, &power.events[i], fate, &power.random);
	}
	size_t state = read_state(durable_path, low, high);
	if (power.mutant == POWER_COPY || power_random(&power.random) % 4 == 0)
		rot(durable, low, high);
	if (recovers) {
		power_copy(durable, cut_path);
		recover(state);
	}
	for (size_t i = at; i-- > flushed;) {
		power_apply(durable, &saved[i - flushed], POWER_ALL, &power.random);
		free(saved[i - flushed].data);
	}
	MUST(ftruncate(durable, (off_t)size) == 0);
	free(saved);
	in_flight += state != low;
	cuts++;
}

static void cut_everywhere(void)
{
	int durable = open(durable_path, O_RDWR | O_CLOEXEC);
	size_t flushed = 0;

	MUST(durable >= 0);
	for (size_t at = 0; at <= power.count; at++) {
		cut(durable, flushed, at,
		    (enum power_fate)(power_random(&power.random) % POWER_FATES),
		    power_random(&power.random) % 16 == 0);
		if (at < power.count && power.events[at].kind == POWER_SYNC) {
			/* Where the most is under way, in other orders. */
			for (int i = 0; i < ORDERS; i++)
				cut(durable, flushed, at, POWER_WHOLE, false);
			for (; flushed <= at; flushed++)
				power_apply(durable, &power.events[flushed], POWER_ALL,
					    &power.random);
			cut(durable, flushed, at + 1, POWER_ALL, false);
		}
	}
	close(durable);
}

static void run_seeds(uint64_t first, uint64_t seeds)
{
	for (seed = first; seed < first + seeds; seed++) {
		power.random = seed * 0x9e3779b97f4a7c15u | 1;
		run_program();
		cut_everywhere();
		power_forget(&power);
		unlink(live_path);
	}
}

/* In a child, which ends as a test that fails does. */
static bool is_found(enum power_mutant mutant)
{
	const struct rlimit none = { 0, 0 };
	int status;

	fflush(NULL);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		MUST(setrlimit(RLIMIT_CORE, &none) == 0);
		MUST(freopen("/dev/null", "w", stderr) != NULL);
		power.mutant = mutant;
		run_seeds(1, MUTANT_SEEDS);
		_exit(0);
	}
	MUST(waitpid(child, &status, 0) == child);
	unlink(live_path);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

int main(int count, char **arguments)
{
	const char *said = getenv("LGALLOC_POWER_SEEDS");
	uint64_t seeds = count > 1    ? strtoull(arguments[1], NULL, 10) :
			 said != NULL ? strtoull(said, NULL, 10) :
					6;
	uint64_t first = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
	const char *directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";

	snprintf(live_path, sizeof(live_path), "%s/lg-power-%d-live", directory, (int)getpid());
	snprintf(durable_path, sizeof(durable_path), "%s/lg-power-%d-durable", directory,
		 (int)getpid());
	snprintf(cut_path, sizeof(cut_path), "%s/lg-power-%d-cut", directory, (int)getpid());
	snprintf(again_path, sizeof(again_path), "%s/lg-power-%d-again", directory, (int)getpid());
	run_seeds(first, seeds);
	unsigned found = 0;
	for (int mutant = POWER_SOUND + 1; mutant < POWER_MUTANTS; mutant++)
		found += is_found((enum power_mutant)mutant);
	unlink(durable_path);
	unlink(cut_path);
	unlink(again_path);
	free(power.events);
	printf("%llu cuts, %llu of them with the commit in flight; %llu recovered, %llu cut again, "
	       "%llu with a superblock that rots; %llu commits in checkpoints\n",
	       (unsigned long long)cuts, (unsigned long long)in_flight,
	       (unsigned long long)recoveries, (unsigned long long)recuts,
	       (unsigned long long)rotted, (unsigned long long)meanwhiles);
	printf("%u of %d missing flushes found\n", found, POWER_MUTANTS - 1);
	return cuts > 0 && in_flight > 0 && recoveries > 0 && rotted > 0 && meanwhiles > 0 &&
			       found == POWER_MUTANTS - 1 ?
		       0 :
		       1;
}
