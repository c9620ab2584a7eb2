/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The exporter: each tick the worker writes OpenMetrics beside the metrics file and renames it over, so a
 * reader (node_exporter's textfile collector) sees a whole file or the one before.
 */
#include "base/error.h"
#include "base/option.h"
#include "region/worker.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 + 64 };

/* %p is the process id; every other character stands for itself. */
static bool expand(const char *pattern, char *path)
{
	size_t length = 0;

	for (; *pattern != '\0'; pattern++) {
		if (length + 24 > PATH_BYTES)
			return false;
		if (pattern[0] == '%' && pattern[1] == 'p') {
			length += (size_t)snprintf(path + length, 24, "%ld", (long)getpid());
			pattern++;
		} else {
			path[length++] = *pattern;
		}
	}
	path[length] = '\0';
	return true;
}

static int write_file(const char *path)
{
	char temporary[PATH_BYTES + 32];

	/* A leading part of the name would be read by collectors that look for *.prom. */
	snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	int error = lg_metrics_write(fd, LG_OPENMETRICS);
	if (close(fd) != 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(temporary, path) != 0)
		error = -errno;
	if (error != 0)
		unlink(temporary);
	return error;
}

void lg_exporter_tick(void)
{
	static int said; /* the worker's alone: each new failure is said once */
	char pattern[sizeof(lg_options.metrics_file)], path[PATH_BYTES];

	if (!lg_option_metrics_file(pattern, sizeof(pattern)) || !expand(pattern, path))
		return;
	int error = write_file(path);
	if (error != 0 && error != said)
		lg_say("metrics_file '%s' cannot be written: %s", path, lg_error_name(-error));
	said = error;
}
