/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Settings: a table of rows that says what text of the form `key:value,key:value` may set, in the options
 * of the process as in those of a pager or a map. All of a text is set, or nothing.
 */
#ifndef LG_BASE_SETTING_H
#define LG_BASE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LG_KIB(n) ((uint64_t)(n) << 10)
#define LG_MIB(n) ((uint64_t)(n) << 20)
#define LG_GIB(n) ((uint64_t)(n) << 30)
#define LG_TIB(n) ((uint64_t)(n) << 40)
#define LG_MS(n) ((uint64_t)(n))
#define LG_S(n) ((uint64_t)(n)*1000)

#define LG_AUTO UINT64_MAX /* not set: follow what it depends on */

enum lg_setting_type {
	LG_SETTING_SWITCH, /* off or on */
	LG_SETTING_WORD,   /* one of `words`: its index */
	LG_SETTING_SET,    /* some of `words`, joined by +: a bit each */
	LG_SETTING_NUMBER,
	LG_SETTING_SIZE,  /* in bytes */
	LG_SETTING_POWER, /* a size that is a power of two */
	LG_SETTING_TIME,  /* in milliseconds */
	LG_SETTING_NAME,  /* a string */
	LG_SETTING_PATH,  /* a string */
};

struct lg_setting {
	const char *name;
	enum lg_setting_type type;
	uint64_t low;
	uint64_t high;
	const char *const *words; /* ended by NULL */
	size_t offset;            /* of the uint64_t, or of the string, in what is set */
	size_t capacity;          /* of a string, its end included */
	bool is_secret;           /* no message shows it, nor what follows it in a text */
};

/* A piece of the text: not terminated, so that nothing is copied before all of it is known good. */
struct lg_setting_piece {
	const char *start;
	size_t length;
};

/* `context` is what is set, unless the table has a `set` of its own that knows otherwise. */
struct lg_settings {
	const struct lg_setting *rows;
	size_t count;
	const char *manual; /* where all of them are listed */

	/* Further conditions on a good value: 0, or lg_fail(). NULL: none. */
	int (*allow)(const struct lg_setting *row, uint64_t value, const void *context);
	/* NULL: plain stores at the rows' offsets. */
	void (*set)(const struct lg_setting *row, uint64_t value, struct lg_setting_piece text,
		    void *context);
};

/* Sets every setting of `text`, or none. 0 or -errno, in words in lg_error(). */
int lg_settings_parse(const struct lg_settings *table, const char *text, void *context);

/* The same without setting anything. */
int lg_settings_check(const struct lg_settings *table, const char *text, const void *context);

/* NULL: there is none of this name. */
const struct lg_setting *lg_settings_find(const struct lg_settings *table,
					  struct lg_setting_piece name);

/* How messages, the manual and the command show a value: in the largest exact unit. */
enum { LG_SETTING_VALUE_BYTES = 32 };
void lg_setting_value_text(const struct lg_setting *row, uint64_t value,
			   char text[LG_SETTING_VALUE_BYTES]);

/* "off or on", "file, anon or paged", "4K to 1G". */
enum { LG_SETTING_RANGE_BYTES = 200 };
void lg_setting_range_text(const struct lg_setting *row, char text[LG_SETTING_RANGE_BYTES]);
const char *lg_setting_type_name(enum lg_setting_type type);

#endif
