/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * url_parts URL [OFFSET+LENGTH ...]: an object, or parts of it, on standard output, or a hash of each: as if it were all in
 * memory.
 */
#include "object.h"

#include "../argument.h"

#include <stdio.h>
#include <string.h>

enum { PARTS_MOST = 64 };

struct part {
	size_t offset;
	size_t length;
};

struct arguments {
	const char *url;
	const char *options;
	struct part parts[PARTS_MOST];
	unsigned count;
	bool hash;
	bool cost;
};

/* FNV-1a, which needs the bytes in order and no more than a loop. */
static uint64_t hash_of(const char *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3;
	return hash;
}

static int show(struct object *object, void *input)
{
	const struct arguments *arguments = input;

	for (unsigned i = 0; i < arguments->count; i++) {
		struct part part = arguments->parts[i];

		if (part.offset > object->length)
			part.offset = object->length;
		if (part.length > object->length - part.offset)
			part.length = object->length - part.offset;
		if (arguments->hash)
			printf("%016" PRIx64 " %zu+%zu\n",
			       hash_of(object->bytes + part.offset, part.length), part.offset,
			       part.length);
		else
			object_print(object->bytes + part.offset, part.length);
	}
	return 0;
}

static void take_part(struct argp_state *state, const char *text, struct arguments *arguments)
{
	char offset[32];
	size_t length = strcspn(text, "+");

	if (arguments->count == PARTS_MOST || length >= sizeof(offset) || text[length] == '\0')
		argp_error(state, "'%s' is not OFFSET+LENGTH, or one of more than %d", text,
			   PARTS_MOST);
	memcpy(offset, text, length);
	offset[length] = '\0';
	arguments->parts[arguments->count++] = (struct part){
		argument_number(state, "OFFSET", offset, 0, SIZE_MAX),
		argument_number(state, "LENGTH", text + length + 1, 0, SIZE_MAX),
	};
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->options = text;
		return 0;
	case 'x':
		arguments->hash = true;
		return 0;
	case 'c':
		arguments->cost = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->url == NULL)
			arguments->url = text;
		else
			take_part(state, text, arguments);
		return 0;
	case ARGP_KEY_END:
		if (arguments->url == NULL)
			argp_error(state, "which URL?");
		if (arguments->count == 0)
			arguments->parts[arguments->count++] = (struct part){ 0, SIZE_MAX };
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "hash", 'x', NULL, 0, "A hash of each part instead of its bytes", 0 },
	{ "cost", 'c', NULL, 0, "How many bytes were fetched, on standard error", 0 },
	{ "options", 'o', "KEY:VALUE,...", 0, "Options of lg_map_url(3)", 0 },
	{ 0 },
};

int main(int count, char **words)
{
	static const struct argp parser = {
		.options = options,
		.parser = parse,
		.args_doc = "URL [OFFSET+LENGTH...]",
		.doc = "Writes parts of an object of S3 or the web to standard output, from memory.",
	};
	struct arguments arguments = { .url = NULL };
	struct object object;

	argp_err_exit_status = 2;
	argp_parse(&parser, count, words, 0, NULL, &arguments);
	if (!object_open(&object, arguments.url, "64M", arguments.options))
		return EXIT_FAILURE;
	int result = object_look(&object, show, &arguments);
	if (arguments.cost)
		object_tell_cost(&object);
	object_close(&object);
	return result == 0 && !ferror(stdout) && fclose(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
