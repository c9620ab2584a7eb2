/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "metrics/writer.h"

#include "base/error.h"
#include "remote/tally.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void flush(struct lg_writer *writer)
{
	size_t done = 0;

	while (done < writer->length && writer->error == 0) {
		ssize_t written = write(writer->fd, writer->text + done, writer->length - done);

		if (written >= 0)
			done += (size_t)written;
		else if (errno != EINTR)
			writer->error = -errno;
	}
	writer->length = 0;
}

void lg_writer_print(struct lg_writer *writer, const char *format, ...)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		size_t room = LG_WRITER_BYTES - writer->length;
		va_list values;

		va_start(values, format);
		int length = vsnprintf(writer->text + writer->length, room, format, values);
		va_end(values);
		if (length >= 0 && (size_t)length < room) {
			writer->length += (size_t)length;
			return;
		}
		flush(writer); /* no line of ours is longer than the buffer */
	}
}

int lg_writer_finish(struct lg_writer *writer)
{
	flush(writer);
	return writer->error;
}

int lg_writer_write(int fd, enum lg_format format, const char *process)
{
	struct lg_writer writer = { .fd = fd };
	struct lg_held held;

	(void)lg_stats_read(&held.stats);
	lg_roster_read(&held.pagers);
	lg_remote_tally_read(&held.remote);
	lg_census_read(&held.heaps);
	switch (format) {
	case LG_OPENMETRICS:
	case LG_PROMETHEUS:
		lg_prometheus_write(&writer, &held, format, process);
		break;
	case LG_JSON:
		lg_json_write(&writer, &held);
		break;
	case LG_TABLE:
		lg_table_write(&writer, &held);
		break;
	}
	lg_roster_end(&held.pagers);
	lg_census_end(&held.heaps);
	return lg_writer_finish(&writer);
}

int lg_metrics_write(int fd, enum lg_format format)
{
	if ((unsigned)format > LG_PROMETHEUS)
		return lg_fail(EINVAL, "lg_metrics_write: format %d is unknown", (int)format);
	int error = lg_writer_write(fd, format, NULL);
	if (error != 0)
		return lg_fail(-error, "metrics could not be written to descriptor %d: %s", fd,
			       lg_error_name(-error));
	return 0;
}
