/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Opens a plug-in, has two threads use it, and closes it while one of them waits to exit. That thread's
 * exit hook is code of the library: if closing unmapped it, the exit is a crash.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_barrier_t used, closed;
static int (*use_regions)(void);

static void *use_and_wait(void *result)
{
	*(int *)result = use_regions();
	pthread_barrier_wait(&used);
	pthread_barrier_wait(&closed);
	return NULL;
}

int main(int argc, char **argv)
{
	int result = 1;
	pthread_t thread;
	void *plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *symbol = plugin ? dlsym(plugin, "use_regions") : NULL;

	if (!symbol) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	memcpy(&use_regions, &symbol, sizeof(use_regions));
	pthread_barrier_init(&used, NULL, 2);
	pthread_barrier_init(&closed, NULL, 2);
	if (pthread_create(&thread, NULL, use_and_wait, &result) != 0)
		return 1;
	pthread_barrier_wait(&used);
	if (use_regions() != 0 || dlclose(plugin) != 0)
		return 1;
	pthread_barrier_wait(&closed);
	pthread_join(thread, NULL);
	return result;
}
