/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a process may fork while another thread registers a policy; the child, in which that thread does not live on,
 * can register policies.
 * Method: a thread that registers one again and again; the main thread forks, and each child registers it, too.
 * Oracle: each child ends well before its alarm, and is told what its parent registered.
 */
#include "fault/child.h"
#include "stress/crew.h"

#include <lgalloc/pager.h>

enum { FORKS = 200 };

static struct crew crew;

static void *create(uint32_t handles, uint32_t pages, void *argument)
{
	(void)handles;
	(void)pages;
	return argument;
}

static void destroy(void *state)
{
	(void)state;
}

static void fill(void *state, uint32_t handle, uint64_t key, enum lg_reference reference)
{
	(void)state;
	(void)handle;
	(void)key;
	(void)reference;
}

static void touch(void *state, uint32_t handle, enum lg_reference reference)
{
	(void)state;
	(void)handle;
	(void)reference;
}

static uint32_t victim(void *state)
{
	(void)state;
	return UINT32_MAX;
}

static void put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)state;
	(void)handle;
	(void)key;
}

static void leave(void *state, uint32_t handle)
{
	(void)state;
	(void)handle;
}

static const struct lg_policy_ops ops = {
	.size = sizeof(ops),
	.name = "mine",
	.create = create,
	.destroy = destroy,
	.fill = fill,
	.touch = touch,
	.victim = victim,
	.put_back = put_back,
	.remove = leave,
};

static void register_it(void *unused)
{
	(void)unused;
	CLAIM(lg_policy_register(&ops, NULL) == -EEXIST);
}

static void register_again(struct crew_member *me)
{
	while (!crew_stopped(me))
		register_it(NULL);
}

int main(void)
{
	CLAIM(lg_policy_register(&ops, NULL) == 0);
	crew_start(&crew, 1, 1, register_again);
	for (unsigned i = 0; i < FORKS; i++)
		child_claim("a child that registers a policy", register_it, NULL);
	crew_stop(&crew);
	crew_join(&crew);
	return EXIT_SUCCESS;
}
