/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process killed at any moment, with several threads changing its heap while another commits, leaves a heap
 * that opens at once and is a state that was committed: the one reported last, or one later.
 * Method: a child works and is killed after a random time, again and again on the same file. Each thread keeps a list
 * in the heap whose length and sum are with it; every step is inside begin and end. Oracle: the child tells its
 * parent, in shared memory, how far each list was before a commit that has returned; the lists themselves tell
 * whether they are whole, and the heap how many objects there are.
 *
 * Argument: rounds (default 40); LGALLOC_KILL_ROUNDS has the same meaning.
 */
#include "fault/kill.h"

#include <lgalloc/heap.h>
#include <pthread.h>
#include <sys/mman.h>

enum { THREADS = 3, LENGTH_MAX = 300 };

struct item {
	lg_ref next;
	uint64_t bytes;
	uint64_t value;
};

struct list {
	lg_ref first;
	uint64_t length;
	uint64_t sum;
	uint64_t steps;
};

static uint64_t *reported; /* steps of each list, durable for sure */
static lg_heap *heap;

static struct list *lists(void)
{
	return lg_heap_at(heap, lg_heap_root_get(heap, "lists"));
}

static void push(struct list *list, uint64_t value)
{
	uint64_t bytes = sizeof(struct item) + value % 13 * (value % 7) * 200;
	struct item *item = lg_heap_alloc(heap, bytes);

	CLAIM(item != NULL);
	memset(item, (int)value, bytes);
	*item = (struct item){ list->first, bytes, value };
	list->first = lg_heap_ref(heap, item);
	list->length++;
	list->sum += value;
}

static void pop(struct list *list)
{
	struct item *item = lg_heap_at(heap, list->first);

	list->first = item->next;
	list->length--;
	list->sum -= item->value;
	CLAIM(lg_heap_free(heap, item) == 0);
}

static void *work(void *argument)
{
	struct list *list = argument;
	uint64_t random = (uintptr_t)argument ^ ((uint64_t)getpid() << 20);

	for (;;) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		lg_heap_begin(heap);
		if (list->length > 0 && (list->length > LENGTH_MAX || random >> 40 & 1))
			pop(list);
		else
			push(list, random >> 33);
		__atomic_store_n(&list->steps, list->steps + 1, __ATOMIC_RELAXED);
		lg_heap_end(heap);
	}
	return NULL;
}

static void child(const char *path)
{
	uint64_t steps[THREADS];
	pthread_t thread;

	heap = lg_heap_open(path, "reserve:1G");
	CLAIM(heap != NULL);
	struct list *all = lists();
	for (int i = 0; i < THREADS; i++)
		CLAIM(pthread_create(&thread, NULL, work, &all[i]) == 0);
	for (int commits = 0;; commits++) {
		for (int i = 0; i < THREADS; i++)
			steps[i] = __atomic_load_n(&all[i].steps, __ATOMIC_RELAXED);
		/* Each step counted here has ended, or ends before the gate closes. */
		CLAIM(lg_heap_commit(heap) == 0);
		for (int i = 0; i < THREADS; i++)
			__atomic_store_n(&reported[i], steps[i], __ATOMIC_RELEASE);
		if (commits < 16)
			kill_tell();
	}
}

static void verify(const char *path)
{
	struct lg_heap_stats stats;
	uint64_t objects = 1;

	heap = lg_heap_open(path, "reserve:1G");
	CLAIM(heap != NULL);
	for (int i = 0; i < THREADS; i++) {
		const struct list *list = &lists()[i];
		uint64_t length = 0, sum = 0;

		for (lg_ref ref = list->first; ref != 0; length++) {
			const struct item *item = lg_heap_at(heap, ref);
			const unsigned char *bytes = (const unsigned char *)item;

			CLAIM(lg_heap_usable_size(heap, item) >= item->bytes);
			for (uint64_t at = sizeof(*item); at < item->bytes; at += 97)
				CLAIM(bytes[at] == (unsigned char)item->value);
			sum += item->value;
			ref = item->next;
		}
		CLAIM(length == list->length);
		CLAIM(sum == list->sum);
		CLAIM(list->steps >= reported[i]);
		reported[i] = list->steps;
		objects += length;
	}
	CLAIM(lg_heap_stats_read(heap, &stats) == 0);
	CLAIM(stats.objects == objects);
	CLAIM(lg_heap_close(heap) == 0);
}

int main(int count, char **arguments)
{
	long rounds = kill_rounds(count, arguments);
	char path[64];

	snprintf(path, sizeof(path), "lg-killed-%d", (int)getpid());
	reported = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CLAIM(reported != MAP_FAILED);
	heap = lg_heap_open(path, "create:on,reserve:1G,journal:8M");
	CLAIM(heap != NULL);
	void *all = lg_heap_calloc(heap, THREADS, sizeof(struct list));
	CLAIM(lg_heap_root_set(heap, "lists", lg_heap_ref(heap, all)) == 0);
	CLAIM(lg_heap_commit(heap) == 0);
	CLAIM(lg_heap_close(heap) == 0);
	srandom((unsigned)getpid());
	for (long round = 0; round < rounds; round++) {
		/* After some commits, or at the very beginning; and then at any moment of what follows. */
		kill_after(child, path, random() % 12, 20000);
		verify(path);
	}
	CLAIM(lg_heap_check(path, 0, NULL) == 0);
	printf("%ld kills, %llu steps kept\n", rounds, (unsigned long long)reported[0]);
	unlink(path);
	return reported[0] > 0 ? 0 : 1;
}
