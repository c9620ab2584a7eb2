/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "workload/argument.h"

#include "workload/result.h"

#include <stdlib.h>
#include <string.h>

static int word_count;
static char **words;

void argument_open(int count, char **given)
{
	word_count = count;
	words = given;
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
