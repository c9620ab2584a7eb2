/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"
#include "os/thread.h"
#include "region/class.h"
#include "region/start.h"
#include "region/worker.h"

#include <lgalloc/lgalloc.h>

/* No region is handed out or kept. */
static bool are_idle(void)
{
	bool idle = true;

	for (unsigned index = 0; index < lg_span.classes; index++)
		idle = idle && lg_area_are_idle(&lg_classes[index]);
	return idle;
}

/* What is mapped next is as the options then say. False: a region was taken just now. */
static bool leave_areas(void)
{
	bool left = true;

	for (unsigned index = 0; index < lg_span.classes; index++)
		left = lg_area_leave_idle(&lg_classes[index]) && left;
	return left;
}

static void leave_files(void)
{
	for (unsigned index = 0; index < lg_span.classes; index++) {
		struct lg_class *class = &lg_classes[index];

		lg_os_file_close(&class->files[lg_load_relaxed(&class->file)]);
	}
}

static int parse_while_nobody_refills(const char *options)
{
	if (lg_option_earliest(options) != LG_OPTION_AREA || !are_idle())
		return lg_option_parse(options, LG_OPTION_LIVE);
	int error = lg_option_check(options, LG_OPTION_AREA);
	if (error != 0)
		return error;
	if (!leave_areas())
		return lg_option_parse(options, LG_OPTION_LIVE);
	error = lg_option_parse(options, LG_OPTION_AREA);
	leave_files();
	return error;
}

/* Refills read `dir` under their class's lock. */
static int parse_live(const char *options)
{
	for (unsigned index = 0; index < LG_CLASSES; index++)
		lg_class_lock(&lg_classes[index]);
	int error = parse_while_nobody_refills(options);
	for (unsigned index = LG_CLASSES; index-- > 0;)
		lg_class_unlock(&lg_classes[index]);
	return error;
}

int lg_configure(const char *options)
{
	if (options == NULL)
		return 0;
	int cancel = lg_os_cancel_hold();
	lg_start_read_environment(); /* so that it does not undo this call later */
	lg_start_lock();
	int error = lg_start_is_done() ? parse_live(options) :
					 lg_option_parse(options, LG_OPTION_FIRST);
	lg_start_unlock();
	lg_os_cancel_restore(cancel);
	if (error == 0) {
		lg_worker_ensure();
		lg_worker_notice();
	}
	return error;
}
