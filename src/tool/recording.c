/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/recording.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORDS = 4096 }; /* at once */

static const struct {
	const char *name;
	const char *text;
} kinds[] = {
#define LG_RECORDING_KIND(NAME, number, name, what) [LG_TRACE_##NAME] = { name, what },
	LG_TRACE_KINDS(LG_RECORDING_KIND)
#undef LG_RECORDING_KIND
};

const char *lg_recording_kind_name(enum lg_trace_kind kind)
{
	return kinds[kind].name;
}

const char *lg_recording_kind_text(enum lg_trace_kind kind)
{
	return kinds[kind].text;
}

/* How much there was, less than `bytes` only at the end; -errno. */
static ssize_t read_fully(int fd, void *into, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t got = read(fd, (char *)into + done, bytes - done);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			done += (size_t)got;
	}
	return (ssize_t)done;
}

static int read_header(int fd, struct lg_trace_header *header)
{
	ssize_t got = read_fully(fd, header, sizeof(*header));

	if (got < 0)
		return lg_fail((int)-got, "%s", strerror((int)-got));
	if ((size_t)got < sizeof(header->magic) ||
	    memcmp(header->magic, LG_TRACE_MAGIC, sizeof(header->magic)) != 0)
		return lg_fail(EINVAL, "no fault trace of lgalloc: it does not begin as one");
	if ((size_t)got < sizeof(*header))
		return lg_fail(EINVAL, "a fault trace that ends within its header, after %zd bytes",
			       got);
	if (header->version != LG_TRACE_VERSION)
		return lg_fail(EINVAL,
			       "a fault trace of version %" PRIu32 ", and this program reads %d",
			       header->version, LG_TRACE_VERSION);
	if (header->check != lg_trace_check(header, offsetof(struct lg_trace_header, check)) ||
	    header->header_bytes != sizeof(*header) ||
	    header->record_bytes != sizeof(struct lg_trace_record) ||
	    header->policy[sizeof(header->policy) - 1] != '\0')
		return lg_fail(EINVAL, "a fault trace whose header is broken");
	return 0;
}

static bool is_sound(const struct lg_trace_record *record)
{
	return record->check == lg_trace_record_check(record) && record->kind >= LG_TRACE_READ &&
	       record->kind <= LG_TRACE_END && record->zero == 0 &&
	       (record->kind >= LG_TRACE_LOST || (record->shift >= 12 && record->shift <= 21));
}

/* One record, the number-th of the file from 0 on. */
static int take(struct lg_recording *recording, const struct lg_trace_record *record,
		uint64_t number, lg_recording_visitor *visit, void *context)
{
	if (recording->is_whole)
		return lg_fail(EINVAL, "a fault trace with something behind its end");
	if (!is_sound(record))
		return lg_fail(EINVAL, "a fault trace whose record %" PRIu64 " is broken", number);
	if (record->time_ns > recording->last_ns)
		recording->last_ns = record->time_ns;
	recording->kinds[record->kind] += record->kind == LG_TRACE_LOST ? record->page : 1;
	if (record->kind == LG_TRACE_END) {
		if (record->page != number)
			return lg_fail(EINVAL,
				       "a fault trace of %" PRIu64 " records, of which %" PRIu64
				       " are there",
				       record->page, number);
		recording->is_whole = true;
	} else if (record->kind != LG_TRACE_LOST) {
		recording->records++;
		if (visit != NULL && !visit(context, record))
			return lg_fail(ENOMEM, "it is too large for the memory there is");
	}
	return 0;
}

static int read_records(int fd, struct lg_recording *recording, lg_recording_visitor *visit,
			void *context)
{
	static struct lg_trace_record records[RECORDS];
	uint64_t number = 0;

	for (;;) {
		ssize_t got = read_fully(fd, records, sizeof(records));

		if (got < 0)
			return lg_fail((int)-got, "%s", strerror((int)-got));
		size_t count = (size_t)got / sizeof(records[0]);
		for (size_t i = 0; i < count; i++) {
			int error = take(recording, &records[i], number++, visit, context);

			if (error != 0)
				return error;
		}
		if ((size_t)got % sizeof(records[0]) != 0 && recording->is_whole)
			return lg_fail(EINVAL, "a fault trace with something behind its end");
		if ((size_t)got < sizeof(records))
			return 0;
	}
}

int lg_recording_read(const char *path, struct lg_recording *recording, lg_recording_visitor *visit,
		      void *context)
{
	/* A FIFO that nobody writes must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int error;

	memset(recording, 0, sizeof(*recording));
	if (fd < 0)
		return lg_fail(errno, "%s", strerror(errno));
	if (fstat(fd, &status) != 0)
		error = lg_fail(errno, "%s", strerror(errno));
	else if (!S_ISREG(status.st_mode))
		error = lg_fail(EINVAL, "no fault trace of lgalloc: no regular file");
	else
		error = read_header(fd, &recording->header);
	if (error == 0)
		error = read_records(fd, recording, visit, context);
	close(fd);
	return error;
}
