/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The run as a Markdown page: machine, versions, commit, command; the demonstration, bars and
 * table.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "runner/demo.h"
#include "runner/suite.h"

/* `demo` may be NULL. 0 or -errno. */
int report_write(const char *path, const struct suite *suite, const struct demo *demo);

#endif
