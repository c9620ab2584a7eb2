/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * url_search PATTERN URL: the lines of an object that have the pattern, as grep and, with --sorted, look print them. A scan
 * reads ahead of itself by itself; a binary search asks for nothing but the pages it lands on.
 */
#include "object.h"
#include "sorted.h"

#include <argp.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As grep's. */
enum { FOUND = 0, NOT_FOUND = 1, TROUBLE = 2 };

struct arguments {
	const char *pattern;
	const char *url;
	const char *options;
	const char *memory;
	bool fixed;
	bool sorted;
	bool cost;
	regex_t expression;
};

static void print_line(const char *text, size_t length)
{
	object_print(text, length);
	putchar('\n');
}

/* regexec wants a zero behind the text, and a map has none there. */
static bool matches(const regex_t *expression, const char *text, size_t length)
{
	static char *line;
	static size_t room;

	if (length >= room) {
		char *more = realloc(line, 2 * (length + 1));

		if (more == NULL) {
			fprintf(stderr, "no memory for a line of %zu bytes\n", length);
			exit(TROUBLE);
		}
		line = more;
		room = 2 * (length + 1);
	}
	memcpy(line, text, length);
	line[length] = '\0';
	return regexec(expression, line, 0, NULL, 0) == 0;
}

/* Each line by itself: the expression must not go across their ends. */
static int scan_expression(struct object *object, const struct arguments *arguments)
{
	const char *at = object->bytes, *end = at + object->length;
	int result = NOT_FOUND;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline != NULL ? newline : end) - at);

		if (matches(&arguments->expression, at, length)) {
			print_line(at, length);
			result = FOUND;
		}
		at += length + 1;
	}
	return result;
}

/* The text at once, and the line only where there is something. */
static int scan_fixed(struct object *object, const struct arguments *arguments)
{
	const char *at = object->bytes, *end = at + object->length, *hit;
	size_t length = strlen(arguments->pattern);
	int result = NOT_FOUND;

	while (at < end &&
	       (hit = memmem(at, (size_t)(end - at), arguments->pattern, length)) != NULL) {
		const char *before = memrchr(at, '\n', (size_t)(hit - at));
		const char *start = before != NULL ? before + 1 : at;
		const char *newline = memchr(hit, '\n', (size_t)(end - hit));

		if (newline == NULL)
			newline = end;
		print_line(start, (size_t)(newline - start));
		result = FOUND;
		at = newline + 1;
	}
	return result;
}

static int search_sorted(struct object *object, const struct arguments *arguments)
{
	const char *text = object->bytes;
	size_t size = object->length, length = strlen(arguments->pattern);
	int result = NOT_FOUND;

	(void)lg_map_advise(object->map, 0, 0, LG_RANDOM);
	size_t at = sorted_find(text, size, arguments->pattern, length);
	(void)lg_map_advise(object->map, 0, 0, LG_NORMAL); /* what is found is in one place */
	while (at < size) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t line = newline != NULL ? (size_t)(newline - text) - at : size - at;

		if (line < length || memcmp(text + at, arguments->pattern, length) != 0)
			break;
		print_line(text + at, line);
		result = FOUND;
		at += line + 1;
	}
	return result;
}

static int search(struct object *object, void *input)
{
	const struct arguments *arguments = input;

	return arguments->sorted ? search_sorted(object, arguments) :
	       arguments->fixed  ? scan_fixed(object, arguments) :
				   scan_expression(object, arguments);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'F':
		arguments->fixed = true;
		return 0;
	case 's':
		arguments->sorted = true;
		return 0;
	case 'm':
		arguments->memory = text;
		return 0;
	case 'o':
		arguments->options = text;
		return 0;
	case 'c':
		arguments->cost = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->url != NULL)
			argp_error(state, "one URL at a time, not '%s' as well", text);
		*(arguments->pattern == NULL ? &arguments->pattern : &arguments->url) = text;
		return 0;
	case ARGP_KEY_END:
		if (arguments->url == NULL)
			argp_error(state, "a pattern and a URL are wanted");
		if (arguments->pattern[0] == '\0')
			argp_error(state, "an empty pattern would be in every line");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "fixed-strings", 'F', NULL, 0, "PATTERN is text, not an extended regular expression", 0 },
	{ "sorted", 's', NULL, 0,
	  "Lines are in the order of LC_ALL=C sort: those that begin with PATTERN, by a binary search",
	  0 },
	{ "memory", 'm', "SIZE", 0, "What it may have of memory (default 64M)", 0 },
	{ "cost", 'c', NULL, 0, "How many bytes were fetched, on standard error", 0 },
	{ "options", 'o', "KEY:VALUE,...", 0, "Options of lg_map_url(3)", 0 },
	{ 0 },
};

static void compile(struct arguments *arguments)
{
	char reason[128];
	int error = regcomp(&arguments->expression, arguments->pattern, REG_EXTENDED | REG_NOSUB);

	if (error == 0)
		return;
	regerror(error, &arguments->expression, reason, sizeof(reason));
	fprintf(stderr, "pattern '%s': %s\n", arguments->pattern, reason);
	exit(TROUBLE);
}

int main(int count, char **words)
{
	static const struct argp parser = {
		.options = options,
		.parser = parse,
		.args_doc = "PATTERN URL",
		.doc = "Prints the lines of an object of S3 or the web that have the pattern.",
	};
	static struct arguments arguments = { .memory = "64M" };
	struct object object;

	argp_err_exit_status = TROUBLE;
	argp_parse(&parser, count, words, 0, NULL, &arguments);
	compile(&arguments);
	if (!object_open(&object, arguments.url, arguments.memory, arguments.options))
		return TROUBLE;
	int result = object_look(&object, search, &arguments);
	if (arguments.cost)
		object_tell_cost(&object);
	object_close(&object);
	regfree(&arguments.expression);
	return result >= 0 && !ferror(stdout) && fclose(stdout) == 0 ? result : TROUBLE;
}
