/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"
#include "region/class.h"
#include "region/start.h"
#include "region/worker.h"

#include <lgalloc/lgalloc.h>

/* A region is handed out or kept for it: something lies in the backing as the options now say. */
static bool has_region(void)
{
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		struct lg_class *class = &lg_classes[index];

		for (uint32_t i = 0; i < lg_load_acquire(&class->slots); i++) {
			uint64_t word = lg_load_acquire(&class->areas[i].word);

			if (lg_area_state(word) != LG_AREA_UNUSED &&
			    lg_area_clean(word) < lg_load_relaxed(&class->areas[i].count))
				return true;
		}
	}
	return false;
}

/* Refills read `dir` under their class's lock. */
static int parse_while_nobody_refills(const char *options)
{
	for (unsigned index = 0; index < LG_CLASSES; index++)
		lg_class_lock(&lg_classes[index]);
	int error = lg_option_parse(options, has_region() ? LG_OPTION_LIVE : LG_OPTION_AREA);
	for (unsigned index = LG_CLASSES; index-- > 0;)
		lg_class_unlock(&lg_classes[index]);
	return error;
}

int lg_configure(const char *options)
{
	if (options == NULL)
		return 0;
	lg_start_read_environment(); /* so that it does not undo this call later */
	lg_start_lock();
	bool started = lg_start_is_done();
	int error = started ? parse_while_nobody_refills(options) :
			      lg_option_parse(options, LG_OPTION_FIRST);
	lg_start_unlock();
	if (error == 0 && started) {
		lg_worker_ensure();
		lg_worker_notice();
	}
	return error;
}
