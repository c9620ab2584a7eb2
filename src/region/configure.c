/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"
#include "region/start.h"
#include "region/worker.h"

#include <lgalloc/lgalloc.h>

int lg_configure(const char *options)
{
	if (options == NULL)
		return 0;
	lg_start_read_environment(); /* so that it does not undo this call later */
	lg_start_lock();
	bool started = lg_start_is_done();
	int error = lg_option_parse(options, started);
	lg_start_unlock();
	if (error == 0 && started) {
		lg_worker_ensure();
		lg_worker_notice();
	}
	return error;
}
