/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/exposition.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lg_exposition_begin(struct lg_exposition *exposition, char *text, size_t length)
{
	*exposition = (struct lg_exposition){ .rest = text, .end = text + length };
	*exposition->end = '\0';
}

static enum lg_exposition_step wrong(struct lg_exposition *exposition, const char *reason)
{
	exposition->reason = reason;
	exposition->rest = NULL;
	return LG_EXPOSITION_WRONG;
}

static bool starts_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

/* Ends the name in place, and is where it ended; NULL: there is none. *next is the character there. */
static char *take_name(char *at, char *next)
{
	if (!starts_name(*at))
		return NULL;
	while (starts_name(*at) || (*at >= '0' && *at <= '9'))
		at++;
	*next = *at;
	*at = '\0';
	return at;
}

/* From behind the opening quote to behind the closing one, the escapes resolved in place; or NULL. */
static char *take_quoted(char *at)
{
	char *to = at;

	for (; *at != '"'; at++) {
		bool escaped = *at == '\\';

		if (escaped)
			at++;
		if (*at == '\0')
			return NULL;
		*to++ = escaped && *at == 'n' ? '\n' : *at;
	}
	*to = '\0';
	return at + 1;
}

/* From behind the brace to behind the closing one, or NULL with the reason. */
static char *take_labels(char *at, struct lg_sample *sample, const char **reason)
{
	*reason = "a label without a name";
	while (*at != '}') {
		struct lg_label label = { .name = at };
		char next;

		at = take_name(at, &next);
		if (at == NULL)
			return NULL;
		*reason = "a label without a value in quotes";
		if (next != '=' || at[1] != '"')
			return NULL;
		label.value = at + 2;
		at = take_quoted(at + 2);
		if (at == NULL)
			return NULL;
		*reason = "more labels than anybody needs";
		if (sample->label_count == LG_LABELS_MAX)
			return NULL;
		sample->labels[sample->label_count++] = label;
		*reason = "labels without an end";
		if (*at == ',')
			at++;
		else if (*at != '}')
			return NULL;
		*reason = "a label without a name";
	}
	return at + 1;
}

/* strtod alone would take hexadecimal numbers and spaces before them. */
static bool take_number(char **at, double *value)
{
	static const char *const words[] = { "NaN", "+Inf", "-Inf", "Inf" };
	char *start = *at;
	size_t length = strspn(start, "+-.0123456789eE");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(start, words[i], strlen(words[i])) == 0)
			length = strlen(words[i]);
	char after = start[length];
	start[length] = '\0';
	*value = strtod(start, at);
	bool whole = length > 0 && *at == start + length;
	start[length] = after;
	*at = start + length;
	return whole;
}

/* The value, perhaps a timestamp, perhaps an exemplar, which nobody here looks at. */
static const char *take_values(char *at, struct lg_sample *sample)
{
	double timestamp;
	char *end;

	if (isdigit((unsigned char)*at)) {
		errno = 0;
		sample->count = strtoull(at, &end, 10);
		sample->is_count = errno == 0 && (*end == ' ' || *end == '\0');
	}
	if (!take_number(&at, &sample->value))
		return "a value that is no number";
	if (at[0] == ' ' && at[1] != '#') {
		at++;
		if (!take_number(&at, &timestamp))
			return "a timestamp that is no number";
	}
	return *at == '\0' || strncmp(at, " # {", 4) == 0 ? NULL : "something behind the value";
}

static enum lg_exposition_step take_sample(struct lg_exposition *exposition, char *line,
					   struct lg_sample *sample)
{
	const char *reason = "no name of a metric";
	char next, *at;

	*sample = (struct lg_sample){ .name = line };
	at = take_name(line, &next);
	if (at == NULL)
		return wrong(exposition, reason);
	if (next == '{') {
		at = take_labels(at + 1, sample, &reason);
		if (at == NULL)
			return wrong(exposition, reason);
		next = *at;
	}
	if (next != ' ')
		return wrong(exposition, "no space before the value");
	reason = take_values(at + 1, sample);
	return reason == NULL ? LG_EXPOSITION_SAMPLE : wrong(exposition, reason);
}

enum lg_exposition_step lg_exposition_next(struct lg_exposition *exposition,
					   struct lg_sample *sample)
{
	while (exposition->rest != NULL) {
		char *line = exposition->rest;
		char *newline = memchr(line, '\n', (size_t)(exposition->end - line));

		if (line == exposition->end)
			return wrong(exposition, "the end of the file without '# EOF' before it");
		exposition->line++;
		if (newline == NULL)
			return wrong(exposition, "the end of the file within a line");
		*newline = '\0';
		exposition->rest = newline + 1;
		if (strlen(line) != (size_t)(newline - line))
			return wrong(exposition, "a zero byte");
		if (strcmp(line, "# EOF") == 0) {
			if (exposition->rest != exposition->end)
				return wrong(exposition, "more behind '# EOF'");
			exposition->rest = NULL;
			return LG_EXPOSITION_END;
		}
		if (line[0] != '#')
			return take_sample(exposition, line, sample);
	}
	return LG_EXPOSITION_END;
}

const char *lg_sample_label(const struct lg_sample *sample, const char *name)
{
	for (unsigned i = 0; i < sample->label_count; i++)
		if (strcmp(sample->labels[i].name, name) == 0)
			return sample->labels[i].value;
	return NULL;
}
