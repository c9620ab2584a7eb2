/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The options of remote objects; lg_map_url(3) says what they are. */
#ifndef LG_REMOTE_OPTIONS_H
#define LG_REMOTE_OPTIONS_H

#include "base/setting.h"

#include <stdbool.h>
#include <stdint.h>

enum lg_remote_change { LG_CHANGE_FAIL, LG_CHANGE_REFETCH };
enum lg_remote_style { LG_STYLE_AUTO, LG_STYLE_PATH, LG_STYLE_VIRTUAL };

/* X(name, type, words, default, low, high) */
#define LG_REMOTE_OPTIONS(X)                                                                       \
	X(style, WORD, lg_remote_style_words, LG_STYLE_AUTO, 0, 0)                                 \
	X(anonymous, SWITCH, NULL, 0, 0, 1)                                                        \
	X(unpinned, SWITCH, NULL, 0, 0, 1)                                                         \
	X(on_change, WORD, lg_remote_change_words, LG_CHANGE_FAIL, 0, 0)                           \
	X(deadline, TIME, NULL, LG_S(60), LG_MS(100), LG_S(86400))                                 \
	X(cache_bytes, SIZE, NULL, LG_GIB(1), LG_MIB(1), LG_TIB(64))

/* X(name, type, capacity, is it secret?) */
#define LG_REMOTE_STRINGS(X)                                                                       \
	X(region, NAME, 64, false)                                                                 \
	X(endpoint, PATH, 1024, false)                                                             \
	X(profile, NAME, 128, false)                                                               \
	X(access_key, NAME, 256, false)                                                            \
	X(secret_key, NAME, 256, true)                                                             \
	X(session_token, NAME, 4096, true)                                                         \
	X(ca_file, PATH, 4096, false)                                                              \
	X(cache_dir, PATH, 4096, false)

struct lg_remote_options {
#define LG_REMOTE_FIELD(name, type, words, value, low, high) uint64_t name;
	LG_REMOTE_OPTIONS(LG_REMOTE_FIELD)
#undef LG_REMOTE_FIELD
#define LG_REMOTE_STRING_FIELD(name, type, capacity, secret) char name[capacity];
	LG_REMOTE_STRINGS(LG_REMOTE_STRING_FIELD)
#undef LG_REMOTE_STRING_FIELD
};

extern const char *const lg_remote_style_words[];
extern const char *const lg_remote_change_words[];

/* Defaults. */
void lg_remote_options_start(struct lg_remote_options *options);

#endif
