/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/start.h"

#include "base/error.h"
#include "base/option.h"
#include "os/thread.h"
#include "region/class.h"
#include "region/fork.h"
#include "region/mappings.h"
#include "region/pool.h"
#include "region/sanitizer.h"
#include "region/thread.h"
#include "region/worker.h"

#include <lgalloc/lgalloc.h>

#include <pthread.h>
#include <stdlib.h>

struct lg_class lg_classes[LG_CLASSES];

static struct {
	LG_LINE_ALIGNED pthread_mutex_t mutex;
} refill_locks[LG_CLASSES];

void lg_class_lock(struct lg_class *class)
{
	pthread_mutex_lock(&refill_locks[class->index].mutex);
}

bool lg_class_try_lock(struct lg_class *class)
{
	return pthread_mutex_trylock(&refill_locks[class->index].mutex) == 0;
}

void lg_class_unlock(struct lg_class *class)
{
	pthread_mutex_unlock(&refill_locks[class->index].mutex);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(bool) done;
static bool environment_read, has_exit_hook, has_barrier; /* under the lock until done */
static int fork_hooks_error;

bool lg_start_is_done(void)
{
	return lg_load_acquire(&done);
}

bool lg_start_has_exit_hook(void)
{
	return has_exit_hook;
}

bool lg_start_has_barrier(void)
{
	return has_barrier;
}

static void read_environment(void)
{
	const char *text = secure_getenv("LGALLOC_CONF");

	if (environment_read)
		return;
	environment_read = true;
	(void)lg_option_parse(lg_option_builtin(), LG_OPTION_FIRST);
	if (text != NULL && lg_option_parse(text, LG_OPTION_FIRST) != 0)
		lg_say("LGALLOC_CONF: %s", lg_error());
}

void lg_start_read_environment(void)
{
	lg_start_lock();
	read_environment();
	lg_start_unlock();
}

/*
 * At load, before the program can register its own: prepare then runs after the program's handlers, and the
 * child's first. Nor does a fork meet a first region half made without them.
 */
__attribute__((constructor)) static void register_fork_hooks(void)
{
	fork_hooks_error = lg_os_fork_hooks(lg_fork_prepare, lg_fork_parent, lg_fork_child);
	lg_worker_forget();
}

static void start_classes(void)
{
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		struct lg_class *class = &lg_classes[index];

		class->index = index;
		pthread_mutex_init(&refill_locks[index].mutex, NULL);
		for (unsigned i = 0; i < LG_FILES; i++)
			class->files[i].fd = -1;
		if (index < lg_span.classes)
			class->bits = (uint64_t *)lg_span.bits + lg_span.bit_starts[index];
	}
}

static int start(void)
{
	int error;

	read_environment();
	if (fork_hooks_error != 0)
		return lg_fail(-fork_hooks_error, "no fork hook could be registered: %s",
			       lg_error_name(-fork_hooks_error));
	lg_sanitizer_start();
	lg_backing_choose();
	error = lg_span_reserve();
	if (error != 0)
		return error;
	start_classes();
	lg_pool_start();
	lg_mappings_start();
	has_barrier = lg_os_barrier_make();
	/* All keys of the process may be in use: then no thread can have a cache. */
	has_exit_hook = lg_os_exit_hook_make(lg_thread_exit) == 0;
	lg_store_release(&done, true);
	return 0;
}

int lg_start(void)
{
	int error = 0;

	if (lg_start_is_done())
		return 0;
	int cancel = lg_os_cancel_hold();
	lg_start_lock();
	if (!lg_start_is_done())
		error = start();
	lg_start_unlock();
	lg_os_cancel_restore(cancel);
	return error;
}

void lg_start_lock(void)
{
	pthread_mutex_lock(&lock);
}

void lg_start_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void lg_start_forget(void)
{
	has_barrier = has_barrier && lg_os_barrier_make();
}
