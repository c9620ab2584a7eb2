/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The one option table: it feeds the environment, lg_configure, the manual and the command.
 *
 * Values are set one by one with relaxed stores and read with relaxed loads wherever they count, so a
 * change applies live. Of the strings, dir is set only while nobody reads it; metrics_file has a version
 * for its readers.
 */
#ifndef LG_BASE_OPTION_H
#define LG_BASE_OPTION_H

#include "base/atomic.h"
#include "base/policies.h"
#include "base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lg_backing_kind { LG_BACKING_FILE, LG_BACKING_ANON, LG_BACKING_PAGED };
enum lg_paged_faults { LG_PAGED_THREADS, LG_PAGED_INLINE };

/*
 * X(name, type, when, default, low, high, help)
 *   type  SWITCH off|on, BACKING file|anon|paged, FAULTS threads|inline, POLICY one of LG_POLICIES, NUMBER,
 *         SIZE in bytes, POWER a size that is a power of two, TIME in milliseconds
 *   when  FIRST: only before the first region; AREA: while none is there, so that a refused dir can be
 *         replaced; LIVE: at any time
 */
#define LG_OPTIONS(X)                                                                                   \
	X(backing, BACKING, FIRST, LG_BACKING_FILE, 0, 2,                                               \
	  "where regions live: file (an unlinked file per class in dir), anon (anonymous memory) or "   \
	  "paged (memory up to paged_memory, the rest in dir)")                                         \
	X(paged_memory, SIZE, FIRST, LG_AUTO, LG_MIB(1), LG_TIB(64),                                    \
	  "backing:paged: how much of it is in memory; default a quarter of RAM or of the cgroup's "    \
	  "limit")                                                                                      \
	X(faults, FAULTS, FIRST, LG_PAGED_THREADS, 0, 1,                                                \
	  "backing:paged: who brings pages in: threads (system calls may be given regions; needs "      \
	  "privilege) or inline (the thread that touches)")                                             \
	X(paged_page, POWER, FIRST, LG_KIB(64), LG_KIB(4), LG_MIB(2),                                   \
	  "backing:paged: how much comes and goes at once, a power of two; smaller regions go whole")   \
	X(paged_policy, POLICY, FIRST, 0, 0, LG_POLICY_BUILTIN - 1,                                     \
	  "backing:paged: which page leaves first")                                                     \
	X(span, SIZE, FIRST, LG_TIB(1), LG_MIB(2), LG_TIB(4),                                           \
	  "address space reserved per size class; halved until the system grants it")                   \
	X(reserve, SWITCH, AREA, 1, 0, 1,                                                               \
	  "reserve disk blocks when a region is handed out, so that a full disk is ENOSPC, not SIGBUS") \
	X(coredump, SWITCH, FIRST, 0, 0, 1, "include regions in core dumps")                            \
	X(hugepages, SWITCH, FIRST, 1, 0, 1,                                                            \
	  "ask for huge pages: anonymous areas, and file areas of regions from 2 MiB up")               \
	X(annotate, SWITCH, FIRST, 1, 0, 1,                                                             \
	  "under Valgrind or AddressSanitizer report use after free; thread caches are off there")      \
	X(area_max, SIZE, LIVE, LG_GIB(4), LG_MIB(2), LG_TIB(1), "largest area a refill maps")          \
	X(growth_dampener, NUMBER, LIVE, 0, 0, 1000000,                                                 \
	  "n: a refill grows a class by 1 + 1 / (n + 1); 0 doubles it")                                 \
	X(cache_bytes, SIZE, LIVE, LG_MIB(64), 0, LG_TIB(1),                                            \
	  "free memory one thread may keep for itself, over all classes")                               \
	X(dirty_bytes, SIZE, LIVE, LG_AUTO, 0, LG_TIB(64),                                              \
	  "free memory the dirty pools may keep; default a quarter of RAM or of the cgroup's limit")    \
	X(reclaim_bytes, SIZE, LIVE, LG_GIB(1), LG_KIB(4), LG_TIB(64),                                  \
	  "most the worker gives back in one tick")                                                     \
	X(background, SWITCH, LIVE, 1, 0, 1, "run the worker thread")                                   \
	X(interval, TIME, LIVE, LG_S(1), 1, LG_S(3600),                                                 \
	  "the worker's tick; a free region is given back after one to two of them")                    \
	X(second_decay, TIME, LIVE, LG_S(10), 0, LG_S(86400),                                           \
	  "how long the kernel may take the pages of a given back anonymous region before we do")       \
	X(retire_delay, TIME, LIVE, LG_S(10), 0, LG_S(86400),                                           \
	  "how long an area stays mapped with nothing in use in it")                                    \
	X(usage_interval, TIME, LIVE, LG_S(60), 0, LG_S(86400),                                         \
	  "how often resident and on-disk bytes are measured for metrics_file; 0: never")               \
	X(min_size, SIZE, LIVE, LG_MIB(1), LG_KIB(4), LG_TIB(64),                                       \
	  "the malloc shim: smallest request that becomes a region")

/* X(name, when, capacity, help) */
#define LG_STRING_OPTIONS(X)                                                                       \
	X(dir, AREA, 4096, "directory of the backing files; default $TMPDIR, else /var/tmp")       \
	X(metrics_file, LIVE, 4096,                                                                \
	  "file the worker writes metrics to each tick; %p is the process id; empty: none")

/* What a value is; TEXT is that of the strings. */
enum lg_option_type {
	LG_OPTION_SWITCH,
	LG_OPTION_BACKING,
	LG_OPTION_FAULTS,
	LG_OPTION_POLICY,
	LG_OPTION_NUMBER,
	LG_OPTION_SIZE,
	LG_OPTION_POWER,
	LG_OPTION_TIME,
	LG_OPTION_TEXT,
};

/* In the order in which the process leaves them behind. */
enum lg_option_when { LG_OPTION_FIRST, LG_OPTION_AREA, LG_OPTION_LIVE };

struct lg_options {
#define LG_OPTION_FIELD(name, type, when, value, low, high, help) _Atomic(uint64_t) name;
	LG_OPTIONS(LG_OPTION_FIELD)
#undef LG_OPTION_FIELD
#define LG_STRING_FIELD(name, when, capacity, help) char name[capacity];
	LG_STRING_OPTIONS(LG_STRING_FIELD)
#undef LG_STRING_FIELD
	_Atomic(uint32_t) metrics_file_version; /* odd while metrics_file changes */
	_Atomic(uint32_t) metrics_file_length;
};

extern struct lg_options lg_options;

#define lg_option(name) lg_load_relaxed(&lg_options.name)

/*
 * Sets every option of `text`, or none: those of a `when` before `now` are refused with -EBUSY. Callers
 * serialise. 0 or -errno, with the reason in lg_error().
 */
int lg_option_parse(const char *text, enum lg_option_when now);

/* The same without setting anything. */
int lg_option_check(const char *text, enum lg_option_when now);

/* Options that come before the environment: none, but the malloc shim has its own, which the command has to know. */
const char *lg_option_builtin(void);
#define LG_OPTION_SHIM "backing:anon,reserve:off,second_decay:0,cache_bytes:4M"

/* The first `when` of the options that `text` names. */
enum lg_option_when lg_option_earliest(const char *text);

/*
 * How the manual and the command name a type: in a word, so that a power of two is a size. How they and messages
 * show a value: in the largest exact unit.
 */
enum { LG_OPTION_VALUE_BYTES = LG_SETTING_VALUE_BYTES };
const char *lg_option_type_name(enum lg_option_type type);
/* The same of all that is allowed: "file, anon or paged", "4K to 1T". */
void lg_option_range_text(enum lg_option_type type, uint64_t low, uint64_t high,
			  char text[LG_SETTING_RANGE_BYTES]);
void lg_option_value_text(enum lg_option_type type, uint64_t value,
			  char text[LG_OPTION_VALUE_BYTES]);

/* Copies metrics_file, which may change while it is read. False: it is empty. */
bool lg_option_metrics_file(char *path, size_t capacity);

/*
 * The directory of unlinked files: dir, else $TMPDIR, else /var/tmp. Of the first, only while dir is not
 * set; the second copies it, whatever happens.
 */
enum { LG_OPTION_DIR_BYTES = sizeof(((struct lg_options *)NULL)->dir) };
const char *lg_option_dir(void);
void lg_option_dir_copy(char path[LG_OPTION_DIR_BYTES]);

#endif
