/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Giving back everything now: a full pass of what the worker does by and by. */
#include "region/class.h"
#include "region/reclaim.h"
#include "region/revoke.h"
#include "region/start.h"
#include "region/thread.h"

#include "base/error.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>

/*
 * What a failed move unmapped may be mapped by now. Where another's mapping lies in the hole the region stays
 * lost for good.
 */
static void find_lost(struct lg_class *class)
{
	struct lg_node *node;

	while ((node = lg_stack_pop(&class->lost)) != NULL) {
		struct lg_region *region = lg_region_of_node(node);
		uint64_t offset = lg_region_number(region) << lg_class_shift(class->index);
		int error = lg_backing->mend(class, offset + region->hole.from, region->hole.bytes);

		if (error == -EEXIST)
			continue;
		if (error != 0) {
			lg_stack_push(&class->lost, node); /* a trim later */
			return;
		}
		lg_region_set_state(region, LG_FREE);
		(void)lg_reclaim_regions(class->index, &region, 1, false);
	}
}

int lg_trim(void)
{
	if (!lg_start_is_done())
		return 0;
	lg_thread_flush();
	lg_revoke(LG_REVOKE_ALL);
	int error = lg_reclaim_all();
	lg_reclaim_wait_for_others();
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		find_lost(&lg_classes[index]);
		(void)lg_area_retire_idle(&lg_classes[index], 0);
	}
	if (error != 0)
		return lg_fail(EIO, "the kernel did not take back some free memory: %s",
			       error == -EINVAL ? "it is locked (mlock)" : lg_error_name(-error));
	return 0;
}

void lg_thread_flush(void)
{
	if (lg_self != &lg_unattached && lg_self != &lg_homeless)
		lg_cache_flush(lg_self);
}
