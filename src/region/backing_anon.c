/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Areas of private anonymous memory, in huge pages where the kernel has them. Pages go to swap if any. */
#include "base/option.h"
#include "os/map.h"
#include "region/class.h"

#include <errno.h>

static bool is_huge(const struct lg_class *class)
{
	(void)class;
	return lg_option(hugepages);
}

/* Hints: an area without them is an area all the same. */
static void advise_area(struct lg_class *class, char *start, uint64_t bytes)
{
	if (is_huge(class))
		(void)lg_os_advise(start, bytes, LG_OS_HUGEPAGE);
	if (!lg_option(coredump))
		(void)lg_os_advise(start, bytes, LG_OS_DONTDUMP);
}

static int map(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	char *start = lg_class_base(class->index) + offset;
	int error = lg_os_map_anon(start, bytes);

	if (error != 0)
		return lg_backing_refused(error, bytes);
	advise_area(class, start, bytes);
	return 0;
}

static int mend(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	char *start = lg_class_base(class->index) + offset;
	int error = lg_os_map_anon_in_hole(start, bytes);

	if (error == 0)
		advise_area(class, start, bytes);
	return error;
}

static int reserve(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	(void)class;
	(void)file;
	(void)offset;
	(void)bytes;
	return 0;
}

static int give_back(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	return lg_os_advise(lg_class_base(class->index) + offset, bytes,
			    lazily ? LG_OS_FREE : LG_OS_DROP);
}

static int discard(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	(void)file;
	return give_back(class, offset, bytes, false);
}

static int page_out(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	(void)file;
	return lg_os_advise(lg_class_base(class->index) + offset, bytes, LG_OS_PAGEOUT);
}

const struct lg_backing lg_backing_anon = {
	.name = "anon",
	.can_lazily = true,
	.can_move = true,
	.survives_fork = true,
	.has_order = true,
	.run_bytes = 0,
	.map = map,
	.unmap = lg_os_unmap,
	.mend = mend,
	.reserve = reserve,
	.give_back = give_back,
	.discard = discard,
	.page_out = page_out,
	.will_need = lg_backing_will_need,
	.is_huge = is_huge,
};
