/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program whose own handlers of fork take a lock may ask which heap an address is in under that lock, although its handlers
 * were registered before it opened its first heap.
 * Method: a thread that asks under the lock again and again; the main thread forks, and each child asks, too.
 * Oracle: the forks return before the alarm, and each child ends well before its own.
 */
#include "fault/child.h"
#include "stress/crew.h"

#include <lgalloc/heap.h>

#include <pthread.h>

enum { FORKS = 200 };

static struct crew crew;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take(void)
{
	pthread_mutex_lock(&lock);
}

static void let_go(void)
{
	pthread_mutex_unlock(&lock);
}

static void ask(void *unused)
{
	(void)unused;
	take();
	CLAIM(lg_heap_of(&lock) == NULL);
	let_go();
}

static void ask_again(struct crew_member *me)
{
	while (!crew_stopped(me))
		ask(NULL);
}

int main(void)
{
	char path[] = "fork-heap-XXXXXX";
	int fd = mkstemp(path);

	CLAIM(fd >= 0 && close(fd) == 0);
	CLAIM(unlink(path) == 0);
	CLAIM(pthread_atfork(take, let_go, let_go) == 0);
	lg_heap *heap = lg_heap_open(path, "create:on,reserve:1G,journal:64K");
	CLAIM(heap != NULL);
	alarm((unsigned)clock_hang_seconds());
	crew_start(&crew, 1, 1, ask_again);
	for (unsigned i = 0; i < FORKS; i++)
		child_claim("a child that asks for a heap", ask, NULL);
	crew_stop(&crew);
	crew_join(&crew);
	CLAIM(lg_heap_close(heap) == 0);
	CLAIM(unlink(path) == 0);
	return EXIT_SUCCESS;
}
