/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BENCH_THREAD_H
#define BENCH_THREAD_H

#include <pthread.h>

/* Started, or the workload is skipped. */
void thread_start(pthread_t *thread, void *(*run)(void *), void *context);

#endif
