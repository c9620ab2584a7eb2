/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process may fork while another thread maps its first URL, for which libcurl is loaded; the child, in which that thread
 * does not live on, is not held up by its own first URL. Nor is the fork by a load that does not end before it.
 * Method: dlopen says that it has begun; the other thread forks then, after a delay that grows from try to try (short), or while
 * dlopen waits for the child's end (long). Each try has a process of its own, as only the first load counts. Nothing listens at the URL.
 * Oracle: each process ends well before its alarm; the child of a load that is not over is told so.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { TRIES = 24, DELAY_STEP_NS = 300000 };

static atomic_bool begun, ended; /* the load; what waits for the child */
static bool is_long, in_child;
static lg_pager *pager;

void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);

void *__wrap_dlopen(const char *name, int flags)
{
	atomic_store(&begun, true);
	while (is_long && !in_child && !atomic_load(&ended))
		clock_breathe();
	return __real_dlopen(name, flags);
}

static int map_nothing(lg_pager *mine)
{
	CLAIM(lg_map_url(mine, "http://127.0.0.1:1/x", "deadline:100ms") == NULL);
	return errno;
}

static lg_pager *make_pager(void)
{
	lg_pager *made = lg_pager_new("memory:2M");

	if (made == NULL)
		SKIP("no pager: %s\n", lg_error());
	return made;
}

static void *map_first(void *unused)
{
	(void)unused;
	(void)map_nothing(pager);
	return NULL;
}

static void be_a_child(void *unused)
{
	(void)unused;
	in_child = true;
	int error = map_nothing(make_pager());
	if (is_long)
		CLAIM(error == ECHILD);
}

static void fork_meanwhile(void *argument)
{
	struct timespec delay = { 0, *(unsigned *)argument * DELAY_STEP_NS };
	pthread_t thread;

	pager = make_pager();
	CLAIM(pthread_create(&thread, NULL, map_first, NULL) == 0);
	while (!atomic_load(&begun))
		;
	nanosleep(&delay, NULL); /* each try forks at another moment of the map's making */
	child_claim("a child that maps a URL", be_a_child, NULL);
	atomic_store(&ended, true);
	CLAIM(pthread_join(thread, NULL) == 0);
}

static void look_for_curl(void *unused)
{
	(void)unused;
	in_child = true;
	if (map_nothing(make_pager()) == ENOSYS)
		SKIP("%s\n", lg_error());
}

int main(int argc, char **argv)
{
	CLAIM(argc == 2);
	is_long = strcmp(argv[1], "long") == 0;
	if (!child_claim("libcurl", look_for_curl, NULL))
		return EXIT_SKIPPED;
	for (unsigned i = 0; i < (is_long ? 1 : TRIES); i++)
		child_claim("a fork while a URL is mapped", fork_meanwhile, &i);
	return EXIT_SUCCESS;
}
