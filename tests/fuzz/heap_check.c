/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any file, checked. Claims: nothing crashes or hangs; without a repair the file is not changed; what a repair has been
 * through, and can be opened, is sound.
 */
#include "fuzz/image.h"

#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>

static FILE *report;

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count, (void)arguments;
	image_begin();
	report = fopen("/dev/null", "we");
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	image_make(data, size);
	image_mark();
	int findings = lg_heap_check(image_path, 0, report);
	image_must_be_as_marked();
	int repaired = lg_heap_check(image_path, LG_HEAP_REPAIR, report);
	IMAGE_MUST((findings < 0) == (repaired < 0));
	if (repaired < 0) {
		image_must_be_as_marked();
		return 0;
	}
	IMAGE_MUST(lg_heap_check(image_path, 0, stderr) == 0);
	return 0;
}
