/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * holder FILE: makes a heap of objects and roots, says what is in it as reader.py does, and dies without closing it,
 * so that some of it is in place and the rest in the journal alone.
 */
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OBJECTS = 400 };

static uint32_t crc32c(const unsigned char *data, size_t bytes)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < bytes; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static int fail(const char *what)
{
	fprintf(stderr, "holder: %s: %s\n", what, lg_error());
	return 1;
}

/* Not one of those that are freed. */
static bool is_named(size_t i)
{
	return i % 40 == 0 && i % 7 != 3;
}

int main(int count, char **arguments)
{
	static unsigned char *objects[OBJECTS];
	char name[32];

	if (count != 2)
		return 2;
	lg_heap *heap = lg_heap_open(arguments[1], "create:on,reserve:1G,journal:1M");
	if (heap == NULL)
		return fail("open");
	for (size_t i = 0; i < OBJECTS; i++) {
		size_t bytes = 16 + i * i * i % (i % 50 == 0 ? 5000000 : 40000);

		if (i % 7 == 6 && lg_heap_free(heap, objects[i - 3]) == 0)
			objects[i - 3] = NULL;
		objects[i] = lg_heap_alloc(heap, bytes);
		if (objects[i] == NULL)
			return fail("alloc");
		memset(objects[i], (int)i, bytes);
		snprintf(name, sizeof(name), "root %zu", i);
		if (is_named(i))
			lg_heap_root_set(heap, name, lg_heap_ref(heap, objects[i]));
		if (i % 80 == 79 && lg_heap_commit(heap) != 0)
			return fail("commit");
	}
	for (size_t i = 0; i < OBJECTS; i++) {
		if (objects[i] == NULL)
			continue;
		if (is_named(i))
			printf("root root %zu %#llx\n", i,
			       (unsigned long long)lg_heap_ref(heap, objects[i]));
		printf("object %#llx %zu %08x\n", (unsigned long long)lg_heap_ref(heap, objects[i]),
		       lg_heap_usable_size(heap, objects[i]), crc32c(objects[i], 16));
	}
	fflush(stdout);
	/* What comes after the last commit is nobody's. */
	lg_heap_root_set(heap, "never", lg_heap_ref(heap, lg_heap_alloc(heap, 100)));
	return kill(getpid(), SIGKILL);
}
