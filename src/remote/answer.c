/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/answer.h"

#include "remote/line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WAIT_MOST_S = 86400 };

void lg_answer_start(struct lg_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->length = answer->total = LG_ANSWER_NONE;
}

/* Digits at *text; false: none, or too many. */
static bool parse_number(const char **text, const char *end, uint64_t *number)
{
	const char *at = *text;

	*number = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (*number > (INT64_MAX - 9) / 10)
			return false;
		*number = *number * 10 + (uint64_t)(*at - '0');
	}
	bool some = at > *text;
	*text = at;
	return some;
}

static bool skip(const char **text, const char *end, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(end - *text) < length || strncasecmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

/* "bytes 0-9/100", "bytes * /100" without the blank. */
static bool parse_range(struct lg_answer *answer, const char *text, const char *end)
{
	answer->has_range = false; /* of two the last counts */
	if (!skip(&text, end, "bytes"))
		return false;
	while (text < end && (*text == ' ' || *text == '='))
		text++;
	if (skip(&text, end, "*/"))
		return parse_number(&text, end, &answer->total) && text == end;
	if (!parse_number(&text, end, &answer->first) || !skip(&text, end, "-") ||
	    !parse_number(&text, end, &answer->last) || !skip(&text, end, "/"))
		return false;
	if (!parse_number(&text, end, &answer->total) || text != end)
		return false;
	answer->has_range = answer->first <= answer->last && answer->last < answer->total;
	return answer->has_range;
}

/* Values that do not fit are as not said: half of one would be another. So are those that are no values. */
static void set(char *to, size_t capacity, const char *text, const char *end)
{
	size_t length = (size_t)(end - text);

	if (length >= capacity || !lg_line_holds(text, length))
		length = 0;
	memcpy(to, text, length);
	to[length] = '\0';
}

static void parse_header(struct lg_answer *answer, const char *text, const char *end)
{
#define SET(member) set(answer->member, sizeof(answer->member), text, end)
#define NAMED(name) (skip(&text, end, name ":") && (text = text + strspn(text, " \t"), true))
	if (NAMED("Content-Length")) {
		const char *digits = text;

		if (!parse_number(&digits, end, &answer->length) || digits != end)
			answer->length = LG_ANSWER_NONE;
	} else if (NAMED("Content-Range")) {
		answer->bad_range = !parse_range(answer, text, end);
	} else if (NAMED("ETag")) {
		SET(etag);
	} else if (NAMED("Last-Modified")) {
		SET(modified);
	} else if (NAMED("Date")) {
		SET(date);
	} else if (NAMED("Retry-After")) {
		SET(retry_after);
	} else if (NAMED("x-amz-bucket-region")) {
		SET(region);
	} else if (NAMED("Location")) {
		SET(location);
	}
#undef NAMED
#undef SET
}

void lg_answer_line(struct lg_answer *answer, const char *line, size_t length)
{
	char text[LG_LOCATION_BYTES + 64];

	while (length > 0 && strchr("\r\n \t", line[length - 1]) != NULL)
		length--;
	if (length >= sizeof(text))
		return;
	memcpy(text, line, length);
	text[length] = '\0'; /* so that what looks for blanks stops */
	const char *at = text, *end = text + length;
	if (skip(&at, end, "HTTP/")) {
		uint64_t status = 0;

		lg_answer_start(answer);
		at += strcspn(at, " ");
		at += strspn(at, " ");
		if (parse_number(&at, end, &status) && status < 1000)
			answer->status = (int)status;
		return;
	}
	parse_header(answer, text, end);
}

bool lg_answer_date(const char *text, int64_t *seconds)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm date = { .tm_isdst = 0 };
	char month[4] = "", zone[4] = "";
	int used = 0;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n", &date.tm_mday,
		   month, &date.tm_year, &date.tm_hour, &date.tm_min, &date.tm_sec, zone,
		   &used) != 7 ||
	    text[used] != '\0' || strcmp(zone, "GMT") != 0 || strlen(month) != 3)
		return false;
	const char *at = strstr(months, month);
	if (at == NULL || (at - months) % 3 != 0)
		return false;
	date.tm_mon = (int)(at - months) / 3;
	date.tm_year -= 1900;
	*seconds = timegm(&date);
	return true;
}

uint64_t lg_answer_wait_ms(const struct lg_answer *answer, int64_t now_s)
{
	const char *text = answer->retry_after, *end = text + strlen(text);
	uint64_t seconds;
	int64_t date;

	if (parse_number(&text, end, &seconds) && text == end)
		return (seconds < WAIT_MOST_S ? seconds : WAIT_MOST_S) * 1000;
	if (!lg_answer_date(answer->retry_after, &date) || date <= now_s)
		return 0;
	return (uint64_t)(date - now_s < WAIT_MOST_S ? date - now_s : WAIT_MOST_S) * 1000;
}

bool lg_answer_element(const char *body, size_t length, const char *name, char *value,
		       size_t capacity)
{
	char tag[64];
	size_t used = 0, tag_length = (size_t)snprintf(tag, sizeof(tag), "<%s>", name);
	const char *at = memmem(body, length, tag, tag_length), *end = body + length;

	if (at == NULL)
		return false;
	for (at += tag_length; at < end && *at != '<'; at++) {
		bool fine = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			    (*at >= '0' && *at <= '9') || *at == '-';

		if (!fine || used + 1 >= capacity)
			return false;
		value[used++] = *at;
	}
	if (at == end || used == 0)
		return false;
	value[used] = '\0';
	return true;
}
