/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that knows nothing of lgalloc and uses every function of the malloc family, small and large,
 * across the threshold, from a constructor, destructors, threads, signal-free handlers and children.
 * It must hold under any allocator; `family shim` claims besides that large blocks are regions.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLAIM(condition)                                                                           \
	do                                                                                         \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s (errno %d)\n", __FILE__,         \
				__LINE__, #condition, errno);                                      \
			abort();                                                                   \
		}                                                                                  \
	while (0)

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static const size_t sizes[] = { 1,   100,     4096,    5000,    65536,    300 * KIB, MIB - 1,
				MIB, MIB + 1, 3 * MIB, 7 * MIB, 32 * MIB, 100,       33 * MIB };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static bool shim;
static char *before_main, *kept_for_exit;
static pthread_key_t key;

/* Compilers know malloc, and leave out what nobody looks at. */
static void *volatile sink;

static void fill(void *block, size_t bytes, unsigned seed)
{
	unsigned char *at = block;

	for (size_t i = 0; i < bytes; i += i < 4096 ? 1 : 509)
		at[i] = (unsigned char)(seed + i);
	at[bytes - 1] = (unsigned char)(seed + bytes - 1);
}

static bool holds(const void *block, size_t bytes, unsigned seed)
{
	const unsigned char *at = block;

	for (size_t i = 0; i < bytes; i += i < 4096 ? 1 : 509)
		if (at[i] != (unsigned char)(seed + i))
			return false;
	return true;
}

static bool is_zero(const char *block, size_t bytes)
{
	return bytes == 0 || (block[0] == 0 && memcmp(block, block + 1, bytes - 1) == 0);
}

/* A region begins a page; glibc's blocks never do. */
static void claim_region(const void *block, size_t bytes)
{
	if (shim && bytes >= MIB)
		CLAIM((uintptr_t)block % 4096 == 0);
}

__attribute__((constructor)) static void allocate_before_main(void)
{
	before_main = malloc(5 * MIB);
	CLAIM(before_main != NULL);
	fill(before_main, 5 * MIB, 1);
}

static void use_at_exit(void)
{
	char *more = malloc(3 * MIB);

	CLAIM(more != NULL);
	CLAIM(holds(kept_for_exit, 2 * MIB, 2));
	free(kept_for_exit);
	free(more);
}

static void malloc_and_free(void)
{
	void *blocks[SIZES];

	for (unsigned i = 0; i < SIZES; i++) {
		blocks[i] = malloc(sizes[i]);
		CLAIM(blocks[i] != NULL);
		CLAIM((uintptr_t)blocks[i] % _Alignof(max_align_t) == 0 || sizes[i] < 16);
		CLAIM(malloc_usable_size(blocks[i]) >= sizes[i]);
		/* Programs count their memory by it: not the capacity, which may be twice as much. */
		if (shim && sizes[i] >= MIB)
			CLAIM(malloc_usable_size(blocks[i]) < sizes[i] + 4096);
		claim_region(blocks[i], sizes[i]);
		fill(blocks[i], sizes[i], i);
	}
	errno = 77;
	for (unsigned i = 0; i < SIZES; i++) {
		CLAIM(holds(blocks[i], sizes[i], i));
		free(blocks[i]);
	}
	free(NULL);
	CLAIM(errno == 77);
	CLAIM(malloc_usable_size(NULL) == 0);
	sink = malloc(0);
	free(sink);
}

static void calloc_is_zero(void)
{
	for (unsigned turn = 0; turn < 3; turn++)
		for (unsigned i = 0; i < SIZES; i++) {
			char *block = calloc(sizes[i], 1);

			CLAIM(block != NULL);
			CLAIM(is_zero(block, sizes[i]));
			claim_region(block, sizes[i]);
			memset(block, 0xff, sizes[i]);
			free(block);
		}
}

static void too_much_is_enomem(void)
{
	volatile size_t most = SIZE_MAX / 2, half = SIZE_MAX / 4 + 2;
	void *volatile block = malloc(100);

	errno = 0;
	sink = malloc(most);
	CLAIM(sink == NULL);
	CLAIM(errno == ENOMEM);
	errno = 0;
	sink = calloc(half, 4);
	CLAIM(sink == NULL);
	CLAIM(errno == ENOMEM);
	errno = 0;
	sink = reallocarray(block, half, 4);
	CLAIM(sink == NULL);
	CLAIM(errno == ENOMEM);
	sink = realloc(block, most); /* jemalloc sets no errno here */
	CLAIM(sink == NULL);
	free(block);
}

/* From every size to every other, below and above the threshold. */
static void realloc_keeps_what_both_have(void)
{
	for (unsigned i = 0; i < SIZES; i++)
		for (unsigned j = 0; j < SIZES; j++) {
			char *block = realloc(NULL, sizes[i]), *other;
			size_t both = sizes[i] < sizes[j] ? sizes[i] : sizes[j];

			CLAIM(block != NULL);
			fill(block, sizes[i], i + j);
			block[both - 1] = (char)(i + j + both - 1);
			other = realloc(block, sizes[j]);
			CLAIM(other != NULL);
			CLAIM(malloc_usable_size(other) >= sizes[j]);
			CLAIM(holds(other, both - 1, i + j));
			CLAIM(other[both - 1] == (char)(i + j + both - 1));
			fill(other, sizes[j], 5);
			sink = realloc(other, 0);
			if (sink != NULL)
				free(sink);
		}
}

static void aligned(void)
{
	for (size_t alignment = sizeof(void *); alignment <= 8 * MIB; alignment *= 2)
		for (unsigned i = 0; i < SIZES; i += 2) {
			void *block = NULL, *other;

			CLAIM(posix_memalign(&block, alignment, sizes[i]) == 0);
			CLAIM((uintptr_t)block % alignment == 0);
			fill(block, sizes[i], i);
			other = aligned_alloc(alignment,
					      (sizes[i] + alignment - 1) / alignment * alignment);
			CLAIM(other != NULL);
			CLAIM((uintptr_t)other % alignment == 0);
			CLAIM(holds(block, sizes[i], i));
			free(other);
			other = memalign(alignment, sizes[i]);
			CLAIM(other != NULL);
			CLAIM((uintptr_t)other % alignment == 0);
			block = realloc(block, sizes[i] + 3 * MIB);
			CLAIM(block != NULL);
			CLAIM(holds(block, sizes[i], i));
			free(block);
			free(other);
		}
	void *page = valloc(3 * MIB), *pages = pvalloc(2 * MIB + 1);
	CLAIM(page != NULL);
	CLAIM(pages != NULL);
	CLAIM((uintptr_t)page % 4096 == 0);
	CLAIM(malloc_usable_size(pages) >= 2 * MIB + 4096);
	free(page);
	free(pages);
	page = NULL;
	CLAIM(posix_memalign(&page, 24, 3 * MIB) == EINVAL);
}

static void destroy(void *block)
{
	char *last = malloc(2 * MIB);

	CLAIM(last != NULL);
	CLAIM(holds(block, 2 * MIB, 9));
	free(block);
	free(last);
}

static void *live(void *seed)
{
	uint64_t random = (uintptr_t)seed * 0x9e3779b97f4a7c15u + 1;
	char *held[8] = { NULL };
	size_t bytes[8] = { 0 };
	char *own = malloc(2 * MIB);

	CLAIM(own != NULL);
	fill(own, 2 * MIB, 9);
	CLAIM(pthread_setspecific(key, own) == 0);
	for (unsigned turn = 0; turn < 2000; turn++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		unsigned which = (unsigned)(random >> 61);
		size_t next = (size_t)1 << (4 + (random >> 40) % 19);

		CLAIM(held[which] == NULL || holds(held[which], bytes[which], which));
		if ((random >> 32) % 3 == 0) {
			held[which] = realloc(held[which], next);
		} else {
			free(held[which]);
			held[which] = malloc(next);
		}
		CLAIM(held[which] != NULL);
		bytes[which] = next;
		fill(held[which], next, which);
	}
	for (unsigned i = 0; i < 8; i++)
		free(held[i]);
	return NULL;
}

static void threads(void)
{
	pthread_t all[8];

	CLAIM(pthread_key_create(&key, destroy) == 0);
	for (uintptr_t i = 0; i < 8; i++)
		CLAIM(pthread_create(&all[i], NULL, live, (void *)(i + 1)) == 0);
	for (unsigned i = 0; i < 8; i++)
		CLAIM(pthread_join(all[i], NULL) == 0);
}

/* A child sees its parent's memory, changes it for itself alone, and allocates. */
static void children(void)
{
	char *block = malloc(4 * MIB);
	int status;

	CLAIM(block != NULL);
	fill(block, 4 * MIB, 3);
	for (unsigned i = 0; i < 10; i++) {
		pid_t child = fork();

		CLAIM(child >= 0);
		if (child == 0) {
			CLAIM(holds(block, 4 * MIB, 3));
			memset(block, 0, 4 * MIB);
			malloc_and_free();
			free(block);
			exit(i == 0 ? 0 : (_exit(0), 0)); /* once with its exit handlers */
		}
		CLAIM(waitpid(child, &status, 0) == child);
		CLAIM(status == 0);
		CLAIM(holds(block, 4 * MIB, 3));
	}
	free(block);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	pid_t child = vfork();
#pragma GCC diagnostic pop
	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	CLAIM(waitpid(child, &status, 0) == child);
	CLAIM(status == 0);
}

int main(int argc, char **argv)
{
	shim = argc > 1 && strcmp(argv[1], "shim") == 0;
	kept_for_exit = malloc(2 * MIB);
	CLAIM(kept_for_exit != NULL);
	fill(kept_for_exit, 2 * MIB, 2);
	CLAIM(atexit(use_at_exit) == 0);
	CLAIM(holds(before_main, 5 * MIB, 1));
	claim_region(before_main, 5 * MIB);
	before_main = realloc(before_main, 9 * MIB);
	CLAIM(holds(before_main, 5 * MIB - 1, 1));
	free(before_main);
	malloc_and_free();
	calloc_is_zero();
	too_much_is_enomem();
	realloc_keeps_what_both_have();
	aligned();
	threads();
	children();
	puts("the family is well");
	return 0;
}
