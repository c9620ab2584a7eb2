/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/thread.h"

#include "workload/result.h"

#include <string.h>

void thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
	int error = pthread_create(thread, NULL, run, context);

	if (error != 0)
		result_skip("no thread: %s", strerror(error));
}
