/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that knows nothing of lgalloc and leaves it, after its first large block, no descriptor for another file. What
 * it asks for it gets all the same; what is said of it is for unbounded_memory_is_said.sh to see. To say it is no
 * cancellation point, and changes no errno.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CLAIM(condition)                                                                           \
	do                                                                                         \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	while (0)

#define BYTES ((size_t)64 << 20)

static bool cancelled_late;

static void *ask_cancelled(void *unused)
{
	struct rlimit none = { .rlim_cur = 3, .rlim_max = 3 };

	(void)unused;
	CLAIM(pthread_cancel(pthread_self()) == 0); /* opens a library */
	CLAIM(setrlimit(RLIMIT_NOFILE, &none) == 0);
	errno = 12345;
	char *volatile block = malloc(BYTES);
	CLAIM(block != NULL && errno == 12345);
	memset(block, 1, 4096);
	free(block);
	cancelled_late = true;
	pthread_testcancel();
	return NULL;
}

int main(void)
{
	char *volatile first = malloc((size_t)2 << 20);
	volatile size_t too_many = SIZE_MAX / 4 * 3;
	void *volatile blocks[4];
	void *aligned = NULL;
	pthread_t thread;

	CLAIM(first != NULL);
	memset(first, 7, (size_t)2 << 20);
	CLAIM(malloc(too_many) == NULL); /* nobody's to bound */
	CLAIM(pthread_create(&thread, NULL, ask_cancelled, NULL) == 0);
	CLAIM(pthread_join(thread, NULL) == 0 && cancelled_late);
	blocks[0] = calloc(1, BYTES);
	blocks[1] = memalign((size_t)4 << 20, BYTES);
	CLAIM(posix_memalign(&aligned, 64, BYTES) == 0);
	blocks[2] = aligned;
	blocks[3] = realloc(first, BYTES);
	for (int i = 0; i < 4; i++) {
		CLAIM(blocks[i] != NULL);
		CLAIM(i != 3 || *(char *)blocks[3] == 7);
		memset(blocks[i], i, 4096);
	}
	for (int i = 0; i < 4; i++)
		free(blocks[i]);
	return EXIT_SUCCESS;
}
