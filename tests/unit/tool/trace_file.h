/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A fault trace in memory, to be made wrong here and there, and its file. */
#ifndef UNIT_TOOL_TRACE_FILE_H
#define UNIT_TOOL_TRACE_FILE_H

#include "unit/unit.h"

#include "pager/trace.h"

#include <unistd.h>

enum { TRACE_RECORDS = 20000 };

struct trace_file {
	struct lg_trace_header header;
	struct lg_trace_record records[TRACE_RECORDS];
	size_t count;
	char path[64];
};

static inline void trace_file_sign(struct trace_file *file)
{
	file->header.check = lg_trace_check(&file->header, offsetof(struct lg_trace_header, check));
}

static inline void trace_file_begin(struct trace_file *file)
{
	memset(file, 0, sizeof(*file));
	strcpy(file->path, "trace-file-XXXXXX");
	int fd = mkstemp(file->path);
	assert_true(fd >= 0);
	close(fd);
	memcpy(file->header.magic, LG_TRACE_MAGIC, 8);
	file->header.version = LG_TRACE_VERSION;
	file->header.header_bytes = sizeof(struct lg_trace_header);
	file->header.record_bytes = sizeof(struct lg_trace_record);
	file->header.process = 4711;
	file->header.budget = 16 << 20;
	file->header.page_bytes = 1 << 16;
	strcpy(file->header.policy, "clock");
	trace_file_sign(file);
}

static inline void trace_file_sign_record(struct lg_trace_record *record)
{
	record->check = lg_trace_record_check(record);
}

static inline struct lg_trace_record *trace_file_add(struct trace_file *file,
						     enum lg_trace_kind kind, uint64_t page)
{
	struct lg_trace_record *record = &file->records[file->count++];

	assert_true(file->count <= TRACE_RECORDS);
	*record = (struct lg_trace_record){ .time_ns = file->count,
					    .page = page,
					    .map = 3,
					    .thread = 1,
					    .kind = (uint8_t)kind,
					    .shift = 16 };
	trace_file_sign_record(record);
	return record;
}

static inline void trace_file_add_end(struct trace_file *file)
{
	(void)trace_file_add(file, LG_TRACE_END, file->count);
}

/* The first `bytes` of it, with `more` zeros behind. */
static inline void trace_file_write(const struct trace_file *file, size_t bytes, size_t more)
{
	FILE *to = fopen(file->path, "w");
	size_t records = file->count * sizeof(file->records[0]), header = sizeof(file->header);

	assert_non_null(to);
	assert_int_equal(fwrite(&file->header, 1, bytes < header ? bytes : header, to),
			 bytes < header ? bytes : header);
	bytes = bytes < header ? 0 : bytes - header;
	records = bytes < records ? bytes : records;
	assert_int_equal(fwrite(file->records, 1, records, to), records);
	while (more-- > 0)
		fputc(0, to);
	assert_int_equal(fclose(to), 0);
}

static inline void trace_file_end(struct trace_file *file)
{
	assert_int_equal(unlink(file->path), 0);
}

#endif
