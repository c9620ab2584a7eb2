/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a double free, and a free of a foreign, interior or misaligned pointer, stops the program with
 * SIGABRT and exactly one line on stderr that names the address; no valid use does.
 * Method: each misuse in a child of its own, in small and large classes, right after the first free and
 * after the region went through flush and trim, and from a second thread.
 * Oracle: the child's wait status and its stderr.
 */
#include "fault/child.h"
#include "stress/rounds.h"

#include <inttypes.h>
#include <pthread.h>
#include <sys/mman.h>

/* Where the child says which addresses the line may name: the pointer passed, or the region's data. */
static struct named {
	uintptr_t passed;
	uintptr_t data;
} * named;

static const char *options;
static size_t bytes;

static void *start_up(void)
{
	CLAIM(lg_configure(options) == 0);
	return lg_region_new(bytes);
}

static void name(const void *passed, const void *data)
{
	named->passed = (uintptr_t)passed;
	named->data = (uintptr_t)data;
}

static void free_twice(void *unused)
{
	lg_region *region = start_up();

	(void)unused;
	name(region, lg_region_data(region));
	lg_region_free(region);
	lg_region_free(region);
}

static void free_twice_with_others_between(void *unused)
{
	lg_region *region = start_up();
	lg_region *other = lg_region_new(bytes);

	(void)unused;
	name(region, lg_region_data(region));
	lg_region_free(region);
	lg_region_free(other);
	lg_region_free(region);
}

static void free_twice_by_address(void *unused)
{
	void *data = lg_region_data(start_up());

	(void)unused;
	name(data, data);
	lg_free(data);
	lg_free(data);
}

static void free_twice_after_flush(void *unused)
{
	lg_region *region = start_up();

	(void)unused;
	name(region, lg_region_data(region));
	lg_region_free(region);
	lg_thread_flush();
	lg_region_free(region);
}

static void free_twice_after_trim(void *unused)
{
	lg_region *region = start_up();
	lg_region *keeps_the_area = lg_region_new(bytes);

	(void)unused;
	CLAIM(keeps_the_area != NULL);
	name(region, lg_region_data(region));
	lg_region_free(region);
	CLAIM(lg_trim() == 0);
	lg_region_free(region);
}

static void free_twice_after_retiring(void *unused)
{
	lg_region *region = start_up();

	(void)unused;
	name(region, lg_region_data(region));
	lg_region_free(region);
	CLAIM(lg_trim() == 0);
	lg_region_free(region);
}

static void *free_in_thread(void *region)
{
	lg_region_free(region);
	return NULL;
}

static void free_twice_from_two_threads(void *unused)
{
	lg_region *region = start_up();
	pthread_t thread;

	(void)unused;
	name(region, lg_region_data(region));
	CLAIM(pthread_create(&thread, NULL, free_in_thread, region) == 0);
	pthread_join(thread, NULL);
	lg_region_free(region);
}

static void resize_freed(void *unused)
{
	lg_region *region = start_up();

	(void)unused;
	name(region, lg_region_data(region));
	lg_region_free(region);
	lg_region_resize(region, bytes);
}

static void realloc_freed(void *unused)
{
	void *data = lg_region_data(start_up());

	(void)unused;
	name(data, data);
	lg_free(data);
	lg_realloc(data, bytes);
}

static void free_interior(void *unused)
{
	char *data = lg_region_data(start_up());

	(void)unused;
	name(data + 64, data);
	lg_free(data + 64);
}

static void free_second_half(void *unused)
{
	char *data = lg_region_data(start_up());

	(void)unused;
	name(data + bytes / 2, data);
	lg_free(data + bytes / 2);
}

static void realloc_interior(void *unused)
{
	char *data = lg_region_data(start_up());

	(void)unused;
	name(data + 4096 / 2, data);
	lg_realloc(data + 4096 / 2, 2 * bytes);
}

static void free_never_handed_out(void *unused)
{
	char *data = lg_region_data(start_up());
	char *next = data + lg_region_size(lg_region_of(data));

	(void)unused;
	name(next, next);
	lg_free(next);
}

static void free_heap(void *unused)
{
	void *heap = malloc(100);

	(void)unused;
	start_up();
	name(heap, heap);
	lg_region_free(heap);
}

static void free_heap_by_address(void *unused)
{
	void *heap = malloc(100);

	(void)unused;
	start_up();
	name(heap, heap);
	lg_free(heap);
}

static void free_heap_before_first_use(void *unused)
{
	void *heap = malloc(100);

	(void)unused;
	CLAIM(lg_configure(options) == 0);
	name(heap, heap);
	lg_free(heap);
}

static void free_handle_before_first_use(void *unused)
{
	void *heap = malloc(100);

	(void)unused;
	CLAIM(lg_configure(options) == 0);
	name(heap, heap);
	lg_region_free(heap);
}

static void free_stack(void *unused)
{
	_Alignas(64) char stack[64] = { 0 };

	(void)unused;
	start_up();
	name(stack, stack);
	lg_region_free((lg_region *)(void *)stack);
}

static void free_mapping(void *unused)
{
	void *mapping =
		mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	start_up();
	name(mapping, mapping);
	lg_free(mapping);
}

static void free_misaligned_handle(void *unused)
{
	char *handle = (char *)start_up() + 8;

	(void)unused;
	name(handle, handle);
	lg_region_free((lg_region *)(void *)handle);
}

/* A handle is not an address of a region, and a region's address is no handle. */
static void free_data_as_handle(void *unused)
{
	void *data = lg_region_data(start_up());

	(void)unused;
	name(data, data);
	lg_region_free(data);
}

static void free_handle_as_data(void *unused)
{
	void *handle = start_up();

	(void)unused;
	name(handle, handle);
	lg_free(handle);
}

static void free_wild(void *unused)
{
	void *wild = (void *)(uintptr_t)0x123456789000;

	(void)unused;
	start_up();
	name(wild, wild);
	lg_region_free(wild);
}

static void use_well(void *unused)
{
	lg_region *regions[64];

	(void)unused;
	start_up();
	for (unsigned i = 0; i < 64; i++)
		regions[i] = lg_region_new(bytes);
	for (unsigned i = 0; i < 64; i++)
		lg_free(lg_region_data(regions[i]));
	lg_region_free(NULL);
	lg_free(NULL);
	CLAIM(lg_trim() == 0);
	for (unsigned i = 0; i < 64; i++) {
		regions[i] = lg_region_new(bytes);
		lg_region_free(regions[i]);
	}
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	while (*text)
		lines += *text++ == '\n';
	return lines;
}

static bool names(const char *text, uintptr_t address)
{
	char hex[32];

	snprintf(hex, sizeof(hex), "%" PRIxPTR, address);
	return strstr(text, hex) != NULL;
}

static void claim_stops(const char *what, void (*misuse)(void *))
{
	struct child_end end;

	*named = (struct named){ 0 };
	end = child_try(misuse, NULL);
	if (child_died_of(&end, SIGABRT) && lines_of(end.text) == 1 &&
	    end.text[end.length - 1] == '\n' &&
	    (names(end.text, named->passed) || names(end.text, named->data)))
		return;
	child_print(what, &end);
	fprintf(stderr, "passed %#" PRIxPTR ", data %#" PRIxPTR ", %zu bytes\n", named->passed,
		named->data, bytes);
	BROKEN("a misuse stops with one line that names the address");
}

#define CLAIM_STOPS(misuse) claim_stops(#misuse, misuse)

static void body(const struct round *round)
{
	static const size_t sizes[] = { 4096, 1 << 16, 1 << 21, 1 << 27 };
	struct child_end end;

	options = round->options;
	named = mmap(NULL, sizeof(*named), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	CLAIM(named != MAP_FAILED);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		bytes = sizes[i];
		CLAIM_STOPS(free_twice);
		CLAIM_STOPS(free_twice_with_others_between);
		CLAIM_STOPS(free_twice_by_address);
		CLAIM_STOPS(free_twice_after_flush);
		CLAIM_STOPS(free_twice_after_trim);
		CLAIM_STOPS(free_twice_after_retiring);
		CLAIM_STOPS(free_twice_from_two_threads);
		CLAIM_STOPS(resize_freed);
		CLAIM_STOPS(realloc_freed);
		CLAIM_STOPS(free_interior);
		CLAIM_STOPS(free_second_half);
		CLAIM_STOPS(realloc_interior);
		CLAIM_STOPS(free_never_handed_out);
		CLAIM_STOPS(free_data_as_handle);
		CLAIM_STOPS(free_handle_as_data);
		CLAIM_STOPS(free_misaligned_handle);
		end = child_try(use_well, NULL);
		if (!child_ended_well(&end) || end.length > 0) {
			child_print("use_well", &end);
			BROKEN("valid use neither stops nor prints");
		}
	}
	CLAIM_STOPS(free_heap);
	CLAIM_STOPS(free_heap_by_address);
	CLAIM_STOPS(free_heap_before_first_use);
	CLAIM_STOPS(free_handle_before_first_use);
	CLAIM_STOPS(free_stack);
	CLAIM_STOPS(free_mapping);
	CLAIM_STOPS(free_wild);
}

static const struct round rounds[] = {
	{ "file", "backing:file,reserve:off" },
	{ "anon", "backing:anon" },
	{ "anon-uncached", "backing:anon,cache_bytes:0,retire_delay:0" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
