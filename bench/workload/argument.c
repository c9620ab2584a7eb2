/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/argument.h"

#include "workload/result.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *workload, *known;
static int word_count;
static char **words;

static bool is_known(const char *key, size_t length)
{
	for (const char *at = known; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && strncmp(at, key, length) == 0)
			return true;
	return false;
}

void argument_open(const char *name, const char *keys, int count, char **given)
{
	workload = name;
	known = keys;
	word_count = count;
	words = given;
	for (int i = 0; i < count; i++) {
		size_t length = strcspn(given[i], "=");

		if (given[i][length] == '\0' || !is_known(given[i], length))
			result_fail("%s: %s takes no such argument; it takes: %s", given[i], name,
				    keys[0] != '\0' ? keys : "none");
	}
}

static size_t number_of(const char *text)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	switch (*end) {
	case 'K':
		number <<= 10;
		end++;
		break;
	case 'M':
		number <<= 20;
		end++;
		break;
	case 'G':
		number <<= 30;
		end++;
		break;
	default:
		break;
	}
	if (end == text || *end != '\0')
		result_fail("\"%s\" is not a number", text);
	return (size_t)number;
}

const char *argument_text(const char *key, const char *otherwise)
{
	size_t length = strlen(key);

	if (!is_known(key, length))
		result_fail("%s= is not among the arguments of %s in table.h", key, workload);
	for (int i = 0; i < word_count; i++)
		if (strncmp(words[i], key, length) == 0 && words[i][length] == '=')
			return words[i] + length + 1;
	return otherwise;
}

size_t argument_size(const char *key, size_t otherwise)
{
	const char *text = argument_text(key, NULL);

	return text != NULL ? number_of(text) : otherwise;
}
