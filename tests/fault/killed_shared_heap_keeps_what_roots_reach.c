/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process killed at any moment, with several threads changing its heap of mode:shared, leaves a heap that
 * opens and has each step that was done, and at most the one in the middle of which it was killed; what its roots lead to is
 * whole, and with the types registered nothing else is there. A recovery that is killed is done again.
 * Method: a child works and is killed after a random time, again and again on the same file. Each thread has a stack
 * in the heap; its step n pushes or pops, by n alone, and makes its change by one store of a ref, so a stack
 * is at a step whenever it is looked at. Oracle: each thread says in shared memory which step it has done; a model
 * of the steps says what the stack then is.
 *
 * Argument: rounds (default 40); LGALLOC_KILL_ROUNDS has the same meaning.
 */
#include "fault/kill.h"

#include <lgalloc/heap.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

enum { THREADS = 3, DEPTH_MAX = 300, STEPS_MAX = 1 << 20 };

struct item {
	lg_ref next;
	uint64_t bytes;
	uint64_t step; /* that pushed it */
};

struct stack {
	lg_ref first;
	uint64_t unused[7];
};

static uint64_t *done; /* steps of each thread, in memory that outlives the child */
static lg_heap *heap;

static uint64_t mix(uint64_t number)
{
	number = (number ^ number >> 31) * 0x9e3779b97f4a7c15u;
	return number ^ number >> 29;
}

static bool pushes(uint64_t step, uint64_t depth)
{
	return depth == 0 || (depth < DEPTH_MAX && mix(step) % 2 == 0);
}

static uint64_t bytes_of(uint64_t step)
{
	uint64_t dice = mix(step + 1) % 1000;

	if (dice < 900)
		return sizeof(struct item) + mix(step + 2) % 500;
	if (dice < 990)
		return sizeof(struct item) + mix(step + 2) % 40000;
	return sizeof(struct item) + mix(step + 2) % 3000000;
}

/* --- the model: what a thread's stack is behind so many steps ------------------------------------ */

struct model {
	uint64_t steps;
	uint64_t depth;
	uint64_t pushed[DEPTH_MAX];
};

static struct model models[THREADS];

static void advance(struct model *model)
{
	uint64_t step = model->steps++;

	if (pushes(step, model->depth))
		model->pushed[model->depth++] = step;
	else
		model->depth--;
}

/* --- the child ----------------------------------------------------------------------------------- */

static struct stack *stacks(void)
{
	return lg_heap_at(heap, lg_heap_root_get(heap, "stacks"));
}

static void push(struct stack *stack, uint64_t step)
{
	uint64_t bytes = bytes_of(step);
	struct item *item = lg_heap_alloc(heap, bytes);

	CLAIM(item != NULL);
	memset(item, (int)step, bytes);
	*item = (struct item){ stack->first, bytes, step };
	__atomic_store_n(&stack->first, lg_heap_ref(heap, item), __ATOMIC_RELEASE);
}

static void pop(struct stack *stack)
{
	struct item *item = lg_heap_at(heap, stack->first);

	__atomic_store_n(&stack->first, item->next, __ATOMIC_RELEASE);
	CLAIM(lg_heap_free(heap, item) == 0);
}

static void *work(void *argument)
{
	int number = (int)(intptr_t)argument;
	struct stack *stack = &stacks()[number];
	struct model *model = &models[number];

	while (model->steps < STEPS_MAX) {
		if (pushes(model->steps, model->depth))
			push(stack, model->steps);
		else
			pop(stack);
		advance(model);
		__atomic_store_n(&done[number], model->steps, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void child(const char *path)
{
	pthread_t thread;

	heap = lg_heap_open(path, "reserve:1G");
	CLAIM(heap != NULL);
	for (intptr_t i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&thread, NULL, work, (void *)i) == 0);
	kill_tell();
	for (;;) {
		CLAIM(lg_heap_commit(heap) == 0);
		usleep(2000);
	}
}

/* --- the parent ---------------------------------------------------------------------------------- */

static void item_type(lg_heap_marking *marking, const void *object, size_t bytes)
{
	const struct item *item = object;

	CLAIM(bytes >= sizeof(*item));
	lg_heap_mark(marking, item->next, item_type);
}

static void stacks_type(lg_heap_marking *marking, const void *object, size_t bytes)
{
	const struct stack *all = object;

	CLAIM(bytes >= THREADS * sizeof(*all));
	for (int i = 0; i < THREADS; i++)
		lg_heap_mark(marking, all[i].first, item_type);
}

static bool is_whole(const struct item *item)
{
	const unsigned char *bytes = (const unsigned char *)item;

	if (item->bytes != bytes_of(item->step) || lg_heap_usable_size(heap, item) < item->bytes)
		return false;
	for (uint64_t at = sizeof(*item); at < item->bytes; at += 97)
		if (bytes[at] != (unsigned char)item->step)
			return false;
	return true;
}

static bool is_at(const struct model *model, const struct stack *stack)
{
	uint64_t depth = model->depth;

	for (lg_ref ref = stack->first; ref != 0; depth--) {
		const struct item *item = lg_heap_at(heap, ref);

		if (depth == 0 || item->step != model->pushed[depth - 1])
			return false;
		CLAIM(is_whole(item));
		ref = item->next;
	}
	return depth == 0;
}

static void verify(const char *path, bool typed)
{
	struct lg_heap_stats stats;
	uint64_t objects = 1;

	CLAIM(lg_heap_type_register("stacks", typed ? stacks_type : NULL) == 0);
	CLAIM(lg_heap_check(path, 0, NULL) == 1); /* that it was not closed */
	heap = lg_heap_open(path, "reserve:1G");
	CLAIM(heap != NULL);
	for (int i = 0; i < THREADS; i++) {
		struct model *model = &models[i];

		while (model->steps < done[i])
			advance(model);
		if (!is_at(model, &stacks()[i]))
			advance(model);
		CLAIM(is_at(model, &stacks()[i]));
		objects += model->depth;
	}
	CLAIM(lg_heap_stats_read(heap, &stats) == 0);
	CLAIM(typed ? stats.objects == objects : stats.objects >= objects);
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(lg_heap_check(path, 0, NULL) == 0);
}

static void open_and_wait(const char *path)
{
	CLAIM(lg_heap_open(path, "reserve:1G") != NULL);
	pause();
}

static void round_of(const char *path, long round)
{
	kill_after(child, path, 1, 15000);
	for (long i = 0; i < round % 4; i++) /* somewhere in the recovery, or before, or behind */
		kill_after(open_and_wait, path, 0, 3000);
	verify(path, round % 2 == 0);
}

int main(int count, char **arguments)
{
	long rounds = kill_rounds(count, arguments);
	char path[64];

	snprintf(path, sizeof(path), "lg-killed-shared-%d", (int)getpid());
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CLAIM(done != MAP_FAILED);
	heap = lg_heap_open(path, "create:on,reserve:1G,mode:shared");
	CLAIM(heap != NULL);
	void *all = lg_heap_calloc(heap, THREADS, sizeof(struct stack));
	CLAIM(lg_heap_root_set(heap, "stacks", lg_heap_ref(heap, all)) == 0);
	CLAIM(lg_heap_close(heap) == 0);
	srandom((unsigned)getpid());
	for (long round = 0; round < rounds; round++)
		round_of(path, round);
	printf("%ld kills, %llu steps kept\n", rounds, (unsigned long long)done[0]);
	unlink(path);
	return done[0] > 0 ? 0 : 1;
}
