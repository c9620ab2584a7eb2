/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "record.h"

#include "bytes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int record_open(struct record *record, const unsigned char *bytes, size_t count)
{
	uint64_t header;
	size_t length = bytes_get_varint(bytes, bytes + count, &header);

	if (length == 0 || header < length || header > count)
		return -1;
	record->types = bytes + length;
	record->types_end = bytes + header;
	record->body = record->types_end;
	record->end = bytes + count;
	return 0;
}

static int64_t signed_of(const unsigned char *bytes, size_t count)
{
	uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

static void set_real(struct value *value)
{
	value->kind = VALUE_REAL;
	_Static_assert(sizeof(value->real) == sizeof(value->integer), "an IEEE 754 double");
	memcpy(&value->real, &value->integer, sizeof(value->real));
}

int record_next(struct record *record, struct value *value)
{
	static const unsigned char sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	size_t left = (size_t)(record->end - record->body), length;
	uint64_t type, size;

	if (record->types == record->types_end)
		return 0;
	length = bytes_get_varint(record->types, record->types_end, &type);
	if (length == 0 || type == 10 || type == 11)
		return -1;
	size = type < sizeof(sizes) ? sizes[type] : (type - 12) / 2;
	if (size > left)
		return -1;
	*value = (struct value){ .kind = VALUE_INTEGER,
				 .bytes = record->body,
				 .count = (size_t)size };
	if (type == 0)
		value->kind = VALUE_NULL;
	else if (type >= 12)
		value->kind = type % 2 == 0 ? VALUE_BLOB : VALUE_TEXT;
	else if (type >= 8)
		value->integer = (int64_t)type - 8;
	else
		value->integer = signed_of(record->body, value->count);
	if (type == 7)
		set_real(value);
	record->types += length;
	record->body += size;
	return 1;
}

/* The shortest of 15 and 17 digits that gives the number back, with a point, as SQL tells it from an integer. */
static void print_real(FILE *stream, double real)
{
	char text[40];
	size_t digits;

	if (isinf(real)) {
		fputs(real < 0 ? "-9.0e+999" : "9.0e+999", stream);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", real);
	if (strtod(text, NULL) != real)
		snprintf(text, sizeof(text), "%.17g", real);
	digits = strcspn(text, "e");
	fprintf(stream, "%.*s%s%s", (int)digits, text, strchr(text, '.') == NULL ? ".0" : "",
		text + digits);
}

static void print_text(FILE *stream, const struct value *value)
{
	putc('\'', stream);
	for (size_t i = 0; i < value->count; i++) {
		if (value->bytes[i] == '\'')
			putc('\'', stream);
		putc(value->bytes[i], stream);
	}
	putc('\'', stream);
}

static void print_blob(FILE *stream, const struct value *value)
{
	fputs("X'", stream);
	for (size_t i = 0; i < value->count; i++)
		fprintf(stream, "%02X", value->bytes[i]);
	putc('\'', stream);
}

static void print_value(FILE *stream, const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		fputs("NULL", stream);
		break;
	case VALUE_INTEGER:
		fprintf(stream, "%" PRId64, value->integer);
		break;
	case VALUE_REAL:
		print_real(stream, value->real);
		break;
	case VALUE_TEXT:
		print_text(stream, value);
		break;
	case VALUE_BLOB:
		print_blob(stream, value);
		break;
	}
}

int record_print(FILE *stream, const unsigned char *bytes, size_t count)
{
	struct record record;
	struct value value;
	int more;

	if (record_open(&record, bytes, count) != 0)
		return -1;
	for (int column = 0; (more = record_next(&record, &value)) == 1; column++) {
		if (column > 0)
			putc(',', stream);
		print_value(stream, &value);
	}
	return more;
}
