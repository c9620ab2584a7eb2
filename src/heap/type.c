/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/type.h"

#include "base/error.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct known {
	char name[LG_HEAP_NAME_MAX + 1]; /* "": all roots that no other one names */
	lg_heap_type *type;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known known[LG_HEAP_TYPES_MAX];
static unsigned known_count;
static int fork_hooks_error;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* At load: a fork under way has no handlers that come later. A child has its parent's types, none of them half written. */
__attribute__((constructor)) static void register_fork_hooks(void)
{
	fork_hooks_error = lg_os_fork_hooks(before_fork, after_fork, after_fork);
}

/* The lock is held. */
static struct known *find(const char *name)
{
	for (unsigned i = 0; i < known_count; i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

static int add(const char *name, lg_heap_type *type)
{
	if (known_count == LG_HEAP_TYPES_MAX)
		return lg_fail(ENOSPC, "root %s: at most %d roots can have a type", name,
			       LG_HEAP_TYPES_MAX);
	strcpy(known[known_count].name, name);
	known[known_count++].type = type;
	return 0;
}

int lg_heap_type_register(const char *root, lg_heap_type *type)
{
	const char *name = root != NULL ? root : "";
	int error = 0;

	if ((root != NULL && root[0] == '\0') ||
	    strnlen(name, LG_HEAP_NAME_MAX + 1) > LG_HEAP_NAME_MAX)
		return lg_fail(EINVAL, "a root's name has 1 to %d bytes", LG_HEAP_NAME_MAX);
	if (fork_hooks_error != 0)
		return lg_fail(-fork_hooks_error, "a hook for fork: %s",
			       lg_error_name(-fork_hooks_error));
	pthread_mutex_lock(&lock);
	struct known *one = find(name);
	if (one == NULL && type != NULL)
		error = add(name, type);
	else if (one != NULL && type != NULL)
		one->type = type;
	else if (one != NULL)
		*one = known[--known_count];
	pthread_mutex_unlock(&lock);
	return error;
}

lg_heap_type *lg_type_of_root(const char *name)
{
	pthread_mutex_lock(&lock);
	const struct known *one = find(name);
	if (one == NULL)
		one = find("");
	lg_heap_type *type = one != NULL ? one->type : NULL;
	pthread_mutex_unlock(&lock);
	return type;
}

void lg_heap_type_plain(lg_heap_marking *marking, const void *object, size_t bytes)
{
	(void)marking, (void)object, (void)bytes;
}
