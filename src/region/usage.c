/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Memory by mincore, disk by the files' blocks, and what the backing knows of. No lock is held over a system call. */
#include "region/usage.h"

#include "base/error.h"
#include "os/clock.h"
#include "os/map.h"
#include "region/class.h"
#include "region/start.h"

#include <errno.h>
#include <string.h>

/* The last result; time 0: none. Each value is whole, and two results never differ by much. */
static struct {
	_Atomic(uint64_t) resident_bytes, disk_bytes, unix_ms;
} last;

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

/*
 * Records change under the class's lock; a copy can be asked without it. A descriptor closed meanwhile is
 * told by device and inode, as one is that the program closed.
 */
static bool copy_files(struct lg_class *class, bool wait, struct lg_os_file files[LG_FILES])
{
	if (wait)
		lg_class_lock(class);
	else if (!lg_class_try_lock(class))
		return false;
	memcpy(files, class->files, sizeof(class->files));
	lg_class_unlock(class);
	return true;
}

static int add_class(struct lg_class *class, bool wait, struct lg_usage *usage)
{
	struct lg_os_file files[LG_FILES];
	int error = 0;

	if (!copy_files(class, wait, files))
		return -EBUSY;
	for (unsigned i = 0; i < LG_FILES; i++) {
		uint64_t bytes;

		if (lg_os_file_disk_bytes(&files[i], &bytes) == 0)
			usage->disk_bytes += bytes;
	}
	for (uint32_t i = 0; i < lg_load_acquire(&class->slots) && error == 0; i++)
		error = add_area(class, &class->areas[i], usage);
	return error;
}

static int look(struct lg_usage *usage, bool wait)
{
	int error = 0;

	*usage = (struct lg_usage){ 0 };
	if (!lg_start_is_done())
		return 0;
	for (unsigned index = 0; index < lg_span.classes && error == 0; index++)
		error = add_class(&lg_classes[index], wait, usage);
	if (error != 0)
		return error;
	if (lg_backing->add_usage != NULL)
		lg_backing->add_usage(usage);
	lg_store_relaxed(&last.resident_bytes, usage->resident_bytes);
	lg_store_relaxed(&last.disk_bytes, usage->disk_bytes);
	lg_store_release(&last.unix_ms, lg_os_unix_ms());
	return 0;
}

int lg_usage_try(struct lg_usage *usage)
{
	return look(usage, false);
}

int lg_usage_read(struct lg_usage *usage)
{
	if (usage == NULL)
		return lg_fail(EINVAL, "lg_usage_read(NULL)");
	int error = look(usage, true);
	if (error != 0)
		return lg_fail(-error, "residence could not be read: %s", lg_error_name(-error));
	return 0;
}

bool lg_usage_last(struct lg_usage *usage, uint64_t *unix_ms)
{
	*unix_ms = lg_load_acquire(&last.unix_ms);
	usage->resident_bytes = lg_load_relaxed(&last.resident_bytes);
	usage->disk_bytes = lg_load_relaxed(&last.disk_bytes);
	return *unix_ms != 0;
}

void lg_usage_forget(void)
{
	lg_store_relaxed(&last.unix_ms, 0);
}
