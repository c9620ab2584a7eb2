/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A fault trace's file (pager/trace.h), read from its beginning to its end. What is none is refused in words. */
#ifndef LG_TOOL_RECORDING_H
#define LG_TOOL_RECORDING_H

#include "pager/trace.h"

#include <stdbool.h>
#include <stdint.h>

struct lg_recording {
	struct lg_trace_header header;
	uint64_t kinds[LG_TRACE_END + 1]; /* records of each; of LOST: those that are missing */
	uint64_t records;                 /* all but LOST and END */
	uint64_t last_ns;
	bool is_whole; /* it has its end */
};

/* Called for each record but LOST and END. False: no memory. */
typedef bool lg_recording_visitor(void *context, const struct lg_trace_record *record);

/* 0 or -errno, with lg_error(). `visit` may be NULL. */
int lg_recording_read(const char *path, struct lg_recording *recording, lg_recording_visitor *visit,
		      void *context);

const char *lg_recording_kind_name(enum lg_trace_kind kind);
const char *lg_recording_kind_text(enum lg_trace_kind kind);

#endif
