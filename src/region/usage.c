/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says of the areas: memory by mincore, disk by the files' blocks. */
#include "base/error.h"
#include "os/map.h"
#include "region/class.h"
#include "region/start.h"

#include <errno.h>

static int add_area(struct lg_class *class, struct lg_area *area, struct lg_usage *usage)
{
	uint64_t word = lg_load_acquire(&area->word);
	uint64_t first = lg_load_acquire(&area->first), count = lg_load_acquire(&area->count);
	enum lg_area_state state = lg_area_state(word);

	/* Another life of the slot by now: its extent is not what was read. */
	if (lg_area_generation(word) != lg_area_generation(lg_load_relaxed(&area->word)))
		return 0;
	if (state != LG_AREA_OPEN && state != LG_AREA_ORPHAN)
		return 0;
	return lg_os_resident(lg_region_address(class->index, first),
			      count << lg_class_shift(class->index), &usage->resident_bytes);
}

static int add_class(struct lg_class *class, struct lg_usage *usage)
{
	int error = 0;

	for (uint32_t i = 0; i < lg_load_acquire(&class->slots) && error == 0; i++)
		error = add_area(class, &class->areas[i], usage);
	/* Files change under this lock; a refill of the class may wait for these few calls. */
	lg_class_lock(class);
	for (unsigned i = 0; i < LG_FILES; i++) {
		uint64_t bytes;

		if (lg_os_file_disk_bytes(&class->files[i], &bytes) == 0)
			usage->disk_bytes += bytes;
	}
	lg_class_unlock(class);
	return error;
}

int lg_usage_read(struct lg_usage *usage)
{
	int error = 0;

	if (usage == NULL)
		return lg_fail(EINVAL, "lg_usage_read(NULL)");
	*usage = (struct lg_usage){ 0 };
	if (!lg_start_is_done())
		return 0;
	for (unsigned index = 0; index < lg_span.classes && error == 0; index++)
		error = add_class(&lg_classes[index], usage);
	if (error != 0)
		return lg_fail(-error, "residence could not be read: %s", lg_error_name(-error));
	return 0;
}
