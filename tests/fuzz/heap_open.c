/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any file, opened. Claims: nothing crashes or hangs; to read does not change the file, nor does an open that refuses it;
 * what can be opened can be used and committed, and is then a heap that opens again.
 */
#include "fuzz/image.h"
#include "heap/heap.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>

static const struct lg_heap_setup foreground = { .ops = &lg_os_disk_plain, .foreground = true };

static void look(lg_heap *heap)
{
	char name[LG_HEAP_NAME_MAX + 1];
	struct lg_heap_stats stats;
	uint64_t cursor = 0;
	lg_ref ref;

	while (lg_heap_root_next(heap, &cursor, name, &ref) != 0) {
		IMAGE_MUST(strlen(name) <= LG_HEAP_NAME_MAX);
		(void)lg_heap_root_get(heap, name);
		(void)lg_heap_usable_size(heap, lg_heap_at(heap, ref));
	}
	IMAGE_MUST(lg_heap_stats_read(heap, &stats) == 0);
}

static void use(lg_heap *heap)
{
	static const size_t sizes[] = { 16, 40, 300, 5000, 40000, 70000, 3000000 };
	void *objects[sizeof(sizes) / sizeof(sizes[0])];
	char name[LG_HEAP_NAME_MAX + 1];
	uint64_t cursor = 0;
	lg_ref ref;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		objects[i] = lg_heap_alloc(heap, sizes[i]);
		if (objects[i] != NULL)
			memset(objects[i], 7, sizes[i]);
	}
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i += 2)
		if (objects[i] != NULL)
			IMAGE_MUST(lg_heap_free(heap, objects[i]) == 0);
	while (lg_heap_root_next(heap, &cursor, name, &ref) != 0)
		(void)lg_heap_free(heap, lg_heap_at(heap, ref));
	(void)lg_heap_root_set(heap, "fuzz", lg_heap_ref(heap, objects[1]));
}

/* Of the seeds' objects the first word leads to another; of all others the words are looked at. */
static void chain_type(lg_heap_marking *marking, const void *object, size_t bytes)
{
	IMAGE_MUST(bytes >= LG_GRANULE);
	lg_heap_mark(marking, *(const lg_ref *)object, chain_type);
	lg_heap_mark_at(marking, object, lg_heap_type_plain);
}

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count, (void)arguments;
	image_begin();
	IMAGE_MUST(lg_heap_type_register("root 1", chain_type) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_make(data, size);
	image_mark();
	lg_heap *heap = lg_heap_open(image_path, "readonly:on,reserve:256M");
	bool readable = heap != NULL;
	if (heap != NULL) {
		look(heap);
		IMAGE_MUST(lg_heap_close(heap) == 0);
	}
	image_must_be_as_marked();
	heap = lg_heap_open_with(image_path, "reserve:256M", &foreground);
	IMAGE_MUST((heap != NULL) == readable);
	if (heap == NULL) {
		IMAGE_MUST(errno == EINVAL || errno == ENOTSUP || errno == EUCLEAN);
		image_must_be_as_marked();
		return 0;
	}
	use(heap);
	int error = lg_heap_commit(heap);
	look(heap);
	IMAGE_MUST(lg_heap_close(heap) == 0 || error != 0);
	heap = lg_heap_open_with(image_path, "reserve:256M", &foreground);
	IMAGE_MUST(heap != NULL);
	IMAGE_MUST(error != 0 || lg_heap_root_get(heap, "fuzz") != 0);
	IMAGE_MUST(lg_heap_close(heap) == 0);
	return 0;
}
