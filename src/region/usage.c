/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says of the areas: memory by mincore, disk by the files' blocks. */
#include "base/error.h"
#include "os/map.h"
#include "region/class.h"

#include <errno.h>

static int add_area(struct lg_class *class, struct lg_area *area, struct lg_usage *usage)
{
	enum lg_area_state state = lg_area_state(lg_load_acquire(&area->word));

	if (state != LG_AREA_OPEN && state != LG_AREA_ORPHAN)
		return 0;
	return lg_os_resident(lg_region_address(class->index, area->first),
			      lg_load_relaxed(&area->count) << lg_class_shift(class->index),
			      &usage->resident_bytes);
}

static int add_class(struct lg_class *class, struct lg_usage *usage)
{
	int error = 0;

	for (uint32_t i = 0; i < lg_load_acquire(&class->slots) && error == 0; i++)
		error = add_area(class, &class->areas[i], usage);
	/* Files change under this lock; a refill of the class may wait for these few calls. */
	pthread_mutex_lock(&class->refill);
	for (unsigned i = 0; i < LG_FILES; i++) {
		uint64_t bytes;

		if (lg_os_file_disk_bytes(&class->files[i], &bytes) == 0)
			usage->disk_bytes += bytes;
	}
	pthread_mutex_unlock(&class->refill);
	return error;
}

int lg_usage_read(struct lg_usage *usage)
{
	int error = 0;

	if (usage == NULL)
		return lg_fail(EINVAL, "lg_usage_read(NULL)");
	*usage = (struct lg_usage){ 0 };
	for (unsigned class = 0; class < lg_span.classes && error == 0; class ++)
		error = add_class(&lg_classes[class], usage);
	return error;
}
