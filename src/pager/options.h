/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The options of pagers and of maps; pager.h says what they are. Of a policy only the name is known here:
 * the program may have added it.
 */
#ifndef LG_PAGER_OPTIONS_H
#define LG_PAGER_OPTIONS_H

#include "base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lg_faults { LG_FAULTS_AUTO, LG_FAULTS_INLINE, LG_FAULTS_THREADS };
enum lg_reserve { LG_RESERVE_LAZY, LG_RESERVE_ON };
enum lg_without { LG_WITHOUT_MOVE = 1, LG_WITHOUT_POISON = 2, LG_WITHOUT_WP = 4 };

/* A bit each: an option says of which maps it is. */
enum lg_map_kind { LG_MAP_MEMORY = 1, LG_MAP_FILE = 2, LG_MAP_STORE = 4 };

enum { LG_POLICY_NAME_BYTES = 32, LG_PATH_BYTES = 4096 };

/* X(name, type, words, default, low, high, help) */
#define LG_PAGER_OPTIONS(X)                                                                        \
	X(memory, SIZE, NULL, LG_MIB(256), LG_MIB(1), LG_TIB(64),                                  \
	  "the budget: pages in memory, buffers and tables")                                       \
	X(page, POWER, NULL, LG_KIB(64), LG_KIB(4), LG_MIB(2), "how much comes and goes at once")  \
	X(faults, WORD, faults_words, LG_FAULTS_AUTO, 0, 0,                                        \
	  "who brings pages in: the thread that touches, threads, or auto: as SIGBUS is blocked")  \
	X(prefetch, SWITCH, NULL, 1, 0, 1, "read ahead of streams of faults")                      \
	X(writers, NUMBER, NULL, 1, 1, 16, "threads that write back")                              \
	X(readers, NUMBER, NULL, 4, 1, 16, "threads that read ahead")                              \
	X(flush, TIME, NULL, 0, 0, LG_S(86400),                                                    \
	  "write dirty pages back after so long; 0: when memory is wanted")                        \
	X(without, SET, without_words, 0, 0, 0, "of the kernel, not to be used: for tests")

/* X(name, type, capacity, default, help) */
#define LG_PAGER_STRINGS(X)                                                                        \
	X(policy, NAME, LG_POLICY_NAME_BYTES, "clock", "which page leaves first")                  \
	X(dir, PATH, LG_PATH_BYTES, "", "where memory maps spill; default as LGALLOC_CONF's dir")  \
	X(trace, PATH, LG_PATH_BYTES, "", "write each fault to this file: lgalloc trace")

/* X(name, type, words, kinds of maps, default, low, high, help); `pager`: that of the pager */
#define LG_MAP_OPTIONS(X)                                                                          \
	X(page, POWER, NULL, LG_MAP_ANY, pager->page, LG_KIB(4), LG_MIB(2),                        \
	  "how much comes and goes at once; default the pager's")                                  \
	X(prefetch, SWITCH, NULL, LG_MAP_ANY, pager->prefetch, 0, 1,                               \
	  "read ahead of streams of faults; default the pager's")                                  \
	X(reserve, WORD, reserve_words, LG_MAP_MEMORY, LG_RESERVE_ON, 0, 0,                        \
	  "memory: the spill's disk space is taken at once, or page by page")                      \
	X(offset, SIZE, NULL, LG_MAP_FILE, 0, 0, LG_MAP_OFFSET_MAX,                                \
	  "file: where the map begins, a multiple of 4K")                                          \
	X(readonly, SWITCH, NULL, LG_MAP_FILE | LG_MAP_STORE, 0, 0, 1,                             \
	  "file and store: writing raises SIGSEGV")                                                \
	X(create, SWITCH, NULL, LG_MAP_FILE, 1, 0, 1, "file: one that is not there is made")

#define LG_MAP_ANY (LG_MAP_MEMORY | LG_MAP_FILE | LG_MAP_STORE)
#define LG_MAP_OFFSET_MAX ((uint64_t)INT64_MAX - 4095)

struct lg_pager_options {
#define LG_PAGER_FIELD(name, type, words, value, low, high, help) uint64_t name;
	LG_PAGER_OPTIONS(LG_PAGER_FIELD)
#undef LG_PAGER_FIELD
#define LG_PAGER_STRING_FIELD(name, type, capacity, value, help) char name[capacity];
	LG_PAGER_STRINGS(LG_PAGER_STRING_FIELD)
#undef LG_PAGER_STRING_FIELD
};

struct lg_map_options {
#define LG_MAP_FIELD(name, type, words, kinds, value, low, high, help) uint64_t name;
	LG_MAP_OPTIONS(LG_MAP_FIELD)
#undef LG_MAP_FIELD
	char policy[LG_POLICY_NAME_BYTES];
};

#define LG_PAGER_ENVIRONMENT "LGALLOC_PAGER" /* options of the default pager */

/*
 * Defaults, and over them what `text` says (NULL: nothing). 0, or -EINVAL in words and *options is
 * unchanged.
 */
int lg_pager_options_parse(const char *text, struct lg_pager_options *options);

/* The same over what they are. */
int lg_pager_options_change(const char *text, struct lg_pager_options *options);

/* The same over what the pager says; -EINVAL too for what maps of this kind do not have. */
int lg_map_options_parse(const char *text, const struct lg_pager_options *pager,
			 enum lg_map_kind kind, struct lg_map_options *options);

/* An option as it is listed. */
struct lg_option_about {
	const struct lg_setting *row;
	char value[LG_SETTING_VALUE_BYTES]; /* the default */
	const char *help;
};

/* The place-th from 0 on; false: there are not so many. */
bool lg_pager_option_at(size_t place, struct lg_option_about *about);
bool lg_map_option_at(size_t place, struct lg_option_about *about);

#endif
