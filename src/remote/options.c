/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/options.h"

#include <stddef.h>
#include <string.h>

const char *const lg_remote_style_words[] = {
	[LG_STYLE_AUTO] = "auto", [LG_STYLE_PATH] = "path", [LG_STYLE_VIRTUAL] = "virtual", NULL
};

const char *const lg_remote_change_words[] = {
	[LG_CHANGE_FAIL] = "fail", [LG_CHANGE_REFETCH] = "refetch", NULL
};

void lg_remote_options_start(struct lg_remote_options *options)
{
	memset(options, 0, sizeof(*options));
#define DEFAULT(name, type, words, value, low, high) options->name = (value);
	LG_REMOTE_OPTIONS(DEFAULT)
#undef DEFAULT
}
