/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a workload tells the runner, one line each, on descriptor 3 (standard output where 3 is
 * closed):
 *
 *     v NAME NUMBER          a value; "value" is the row's own, the others stand beside it
 *     s NAME MS NUMBER       a point of a series over time
 *     t NAME TEXT            a word about the process, such as a version
 *     skip TEXT              this cannot be measured here
 *     fail TEXT              it should have worked
 *
 * Lines are written at once, so what a killed process had said is known.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdint.h>

void result_open(void);

void result_value(const char *name, double value);
void result_point(const char *series, double ms, double value);
void result_text(const char *name, const char *text);

/* These end the process: 77 and 1. */
_Noreturn void result_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void result_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
