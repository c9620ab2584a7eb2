/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process may fork while another thread registers a root's type; the child, in which that thread does not live on,
 * can register types.
 * Method: a thread that registers one and takes it back, again and again; the main thread forks, and each child does so, too.
 * Oracle: each child ends well before its alarm.
 */
#include "fault/child.h"
#include "stress/crew.h"

#include <lgalloc/heap.h>

enum { FORKS = 200 };

static struct crew crew;

static void register_it(void *unused)
{
	(void)unused;
	CLAIM(lg_heap_type_register("mine", lg_heap_type_plain) == 0);
	CLAIM(lg_heap_type_register("mine", NULL) == 0);
}

static void register_again(struct crew_member *me)
{
	while (!crew_stopped(me))
		register_it(NULL);
}

int main(void)
{
	crew_start(&crew, 1, 1, register_again);
	for (unsigned i = 0; i < FORKS; i++)
		child_claim("a child that registers a type", register_it, NULL);
	crew_stop(&crew);
	crew_join(&crew);
	return EXIT_SUCCESS;
}
