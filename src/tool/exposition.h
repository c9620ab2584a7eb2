/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * OpenMetrics text, sample by sample. The grammar is checked line by line, names are not: what a family
 * means, and that a new one is passed over, is the caller's. Nothing outside the text is read or written,
 * whatever it holds.
 */
#ifndef LG_TOOL_EXPOSITION_H
#define LG_TOOL_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LG_LABELS_MAX = 16 };

struct lg_label {
	const char *name;
	const char *value; /* its escapes resolved */
};

struct lg_sample {
	const char *name;
	unsigned label_count;
	struct lg_label labels[LG_LABELS_MAX];
	bool is_count;  /* a whole number from 0 to 2^64 - 1, and `count` is it */
	uint64_t count; /* exact, which a double is not */
	double value;
};

struct lg_exposition {
	char *rest; /* NULL behind the end */
	char *end;
	unsigned line;      /* of the sample, or of what is wrong */
	const char *reason; /* what is wrong, if anything is */
};

enum lg_exposition_step { LG_EXPOSITION_SAMPLE, LG_EXPOSITION_END, LG_EXPOSITION_WRONG };

/* The text is changed while it is read. text[length] must be writable. */
void lg_exposition_begin(struct lg_exposition *exposition, char *text, size_t length);

/*
 * The next sample; END at the line "# EOF", behind which there must be nothing; WRONG with line and
 * reason, after which there is no more. The sample's strings live as long as the text.
 */
enum lg_exposition_step lg_exposition_next(struct lg_exposition *exposition,
					   struct lg_sample *sample);

/* The value of a label; NULL: the sample does not have it. */
const char *lg_sample_label(const struct lg_sample *sample, const char *name);

#endif
