/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The options of pagers and of maps; pager.h says what they are. Of a policy only the name is known here:
 * the program may have added it.
 */
#ifndef LG_PAGER_OPTIONS_H
#define LG_PAGER_OPTIONS_H

#include "base/setting.h"

#include <stddef.h>
#include <stdint.h>

enum lg_faults { LG_FAULTS_AUTO, LG_FAULTS_INLINE, LG_FAULTS_THREADS };
enum lg_reserve { LG_RESERVE_LAZY, LG_RESERVE_ON };
enum lg_without { LG_WITHOUT_MOVE = 1, LG_WITHOUT_POISON = 2, LG_WITHOUT_WP = 4 };

/* A bit each: an option says of which maps it is. */
enum lg_map_kind { LG_MAP_MEMORY = 1, LG_MAP_FILE = 2, LG_MAP_STORE = 4 };

enum { LG_POLICY_NAME_BYTES = 32, LG_PATH_BYTES = 4096 };

/* X(name, type, words, default, low, high) */
#define LG_PAGER_OPTIONS(X)                                                                        \
	X(memory, SIZE, NULL, LG_MIB(256), LG_MIB(1), LG_TIB(64))                                  \
	X(page, POWER, NULL, LG_KIB(64), LG_KIB(4), LG_MIB(2))                                     \
	X(faults, WORD, faults_words, LG_FAULTS_AUTO, 0, 0)                                        \
	X(prefetch, SWITCH, NULL, 1, 0, 1)                                                         \
	X(writers, NUMBER, NULL, 1, 1, 16)                                                         \
	X(readers, NUMBER, NULL, 4, 1, 16)                                                         \
	X(flush, TIME, NULL, 0, 0, LG_S(86400))                                                    \
	X(without, SET, without_words, 0, 0, 0)

/* X(name, type, capacity, default) */
#define LG_PAGER_STRINGS(X)                                                                        \
	X(policy, NAME, LG_POLICY_NAME_BYTES, "clock")                                             \
	X(dir, PATH, LG_PATH_BYTES, "")                                                            \
	X(trace, PATH, LG_PATH_BYTES, "")

/* X(name, type, words, kinds of maps, default, low, high); `pager`: that of the pager */
#define LG_MAP_OPTIONS(X)                                                                          \
	X(page, POWER, NULL, LG_MAP_ANY, pager->page, LG_KIB(4), LG_MIB(2))                        \
	X(prefetch, SWITCH, NULL, LG_MAP_ANY, pager->prefetch, 0, 1)                               \
	X(reserve, WORD, reserve_words, LG_MAP_MEMORY, LG_RESERVE_ON, 0, 0)                        \
	X(offset, SIZE, NULL, LG_MAP_FILE, 0, 0, LG_MAP_OFFSET_MAX)                                \
	X(readonly, SWITCH, NULL, LG_MAP_FILE | LG_MAP_STORE, 0, 0, 1)                             \
	X(create, SWITCH, NULL, LG_MAP_FILE, 1, 0, 1)

#define LG_MAP_ANY (LG_MAP_MEMORY | LG_MAP_FILE | LG_MAP_STORE)
#define LG_MAP_OFFSET_MAX ((uint64_t)INT64_MAX - 4095)

struct lg_pager_options {
#define LG_PAGER_FIELD(name, type, words, value, low, high) uint64_t name;
	LG_PAGER_OPTIONS(LG_PAGER_FIELD)
#undef LG_PAGER_FIELD
#define LG_PAGER_STRING_FIELD(name, type, capacity, value) char name[capacity];
	LG_PAGER_STRINGS(LG_PAGER_STRING_FIELD)
#undef LG_PAGER_STRING_FIELD
};

struct lg_map_options {
#define LG_MAP_FIELD(name, type, words, kinds, value, low, high) uint64_t name;
	LG_MAP_OPTIONS(LG_MAP_FIELD)
#undef LG_MAP_FIELD
	char policy[LG_POLICY_NAME_BYTES];
};

/*
 * Defaults, and over them what `text` says (NULL: nothing). 0, or -EINVAL in words and *options is
 * unchanged.
 */
int lg_pager_options_parse(const char *text, struct lg_pager_options *options);

/* The same over what the pager says; -EINVAL too for what maps of this kind do not have. */
int lg_map_options_parse(const char *text, const struct lg_pager_options *pager,
			 enum lg_map_kind kind, struct lg_map_options *options);

#endif
