/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a server says before it sends bytes, as far as it matters here. */
#ifndef LG_REMOTE_ANSWER_H
#define LG_REMOTE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LG_ETAG_BYTES = 256, LG_DATE_BYTES = 40, LG_REGION_BYTES = 64, LG_LOCATION_BYTES = 8704 };

/* Numbers that were not said. */
#define LG_ANSWER_NONE UINT64_MAX

struct lg_answer {
	int status;
	uint64_t length; /* of the body */
	uint64_t first;  /* of the range */
	uint64_t last;
	uint64_t total;
	bool has_range; /* a Content-Range that makes sense; */
	bool bad_range; /* or one that does not */
	char etag[LG_ETAG_BYTES];
	char modified[LG_DATE_BYTES];
	char date[LG_DATE_BYTES];
	char retry_after[LG_DATE_BYTES];
	char region[LG_REGION_BYTES];
	char location[LG_LOCATION_BYTES];
};

void lg_answer_start(struct lg_answer *answer);

/* One line as it came. A status line forgets what came before: an interim answer, or a proxy's. */
void lg_answer_line(struct lg_answer *answer, const char *line, size_t length);

static inline bool lg_answer_is_weak(const char *etag)
{
	return etag[0] == 'W' && etag[1] == '/';
}

/* Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT"; false: it is no such date. */
bool lg_answer_date(const char *text, int64_t *seconds);

/* How long Retry-After wants us to wait, in ms: a number of seconds, or a date. 0: it says nothing. */
uint64_t lg_answer_wait_ms(const struct lg_answer *answer, int64_t now_s);

/*
 * What is between <name> and </name> in a body; letters, digits and - only, for messages show it. False: nothing of
 * that kind.
 */
bool lg_answer_element(const char *body, size_t length, const char *name, char *value,
		       size_t capacity);

#endif
