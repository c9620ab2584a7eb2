/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The exporter: each tick the worker writes the metrics file, in the form that node_exporter's textfile
 * collector reads.
 *
 * That collector serves the files of one directory as one page, on which the same sample twice is an
 * error. So all samples of a file have a label, its name without .prom: no two files of a directory
 * have the same.
 *
 * A failure is counted and not printed: stderr is the program's, and a disk that is full fills up its log
 * too.
 */
#include "metrics/exporter.h"

#include "base/option.h"
#include "metrics/file.h"
#include "metrics/remains.h"
#include "os/clock.h"
#include "os/thread.h"
#include "region/start.h"
#include "region/usage.h"
#include "region/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Measuring takes at most 1 % of a processor; files of the dead are looked for this often. */
enum { USAGE_SHARE = 100, SWEEP_MS = 60000, SWEEP_INTERVALS = 10 };

static _Atomic(uint64_t) writes, failures, last_error;
static uint64_t usage_ended_ms, usage_rest_ms, sweep_due_ms; /* the worker's alone */

bool lg_exporter_expand(const char *pattern, long process, char *path)
{
	size_t length = 0;

	for (; *pattern != '\0'; pattern++) {
		if (length + 24 > LG_METRICS_PATH_BYTES)
			return false;
		if (pattern[0] == '%' && pattern[1] == 'p') {
			length += (size_t)snprintf(path + length, 24, "%ld", process);
			pattern++;
		} else {
			path[length++] = *pattern;
		}
	}
	path[length] = '\0';
	return true;
}

/* The last part of the path without .prom. */
static void name_process(const char *path, char *name, size_t bytes)
{
	const char *slash = strrchr(path, '/'), *last = slash != NULL ? slash + 1 : path;
	size_t length = strlen(last);

	if (length > 5 && strcmp(last + length - 5, ".prom") == 0)
		length -= 5;
	snprintf(name, bytes, "%.*s", (int)length, last);
}

/* Slow: a call for each 4096 pages. While a refill waits for its disk there is no new result. */
static void measure(uint64_t now)
{
	uint64_t interval = lg_option(usage_interval);
	uint64_t rest = usage_rest_ms > interval ? usage_rest_ms : interval;
	struct lg_usage usage;

	if (interval == 0 || !lg_start_is_done() ||
	    (usage_ended_ms != 0 && now - usage_ended_ms < rest))
		return;
	if (lg_usage_try(&usage) != 0)
		return;
	usage_ended_ms = lg_os_now_ms();
	usage_rest_ms = (usage_ended_ms - now) * USAGE_SHARE;
}

static void sweep(const char *pattern, uint64_t now)
{
	uint64_t age = SWEEP_INTERVALS * lg_option(interval);

	if (now < sweep_due_ms)
		return;
	age = age > SWEEP_MS ? age : SWEEP_MS;
	sweep_due_ms = now + age;
	lg_remains_sweep(pattern, age);
}

static int write_file(const char *pattern)
{
	char path[LG_METRICS_PATH_BYTES], name[256];

	if (!lg_exporter_expand(pattern, lg_os_process(), path))
		return -ENAMETOOLONG;
	name_process(path, name, sizeof(name));
	return lg_metrics_file_write(path, name, strstr(pattern, "%p") != NULL);
}

void lg_exporter_tick(void)
{
	char pattern[sizeof(lg_options.metrics_file)];
	uint64_t now = lg_os_now_ms();

	if (!lg_option_metrics_file(pattern, sizeof(pattern))) {
		if (lg_load_relaxed(&lg_options.metrics_file_length) == 0)
			lg_metrics_file_remove();
		return;
	}
	measure(now);
	int error = write_file(pattern);
	lg_store_relaxed(&last_error, (uint64_t)-error);
	if (error != 0)
		lg_own_add(&failures, 1);
	else
		lg_own_add(&writes, 1);
	sweep(pattern, now);
}

void lg_exporter_count(struct lg_stats *stats)
{
	stats->metrics_writes = lg_load_relaxed(&writes);
	stats->metrics_failures = lg_load_relaxed(&failures);
	stats->metrics_error = lg_load_relaxed(&last_error);
}

void lg_exporter_forget(void)
{
	lg_store_relaxed(&writes, 0);
	lg_store_relaxed(&failures, 0);
	lg_store_relaxed(&last_error, 0);
	usage_ended_ms = usage_rest_ms = sweep_due_ms = 0;
	lg_metrics_file_forget();
}
