/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/span.h"

#include "base/error.h"
#include "base/option.h"
#include "base/require.h"
#include "os/limits.h"
#include "os/map.h"
#include "region/sanitizer.h"

#include <errno.h>
#include <string.h>

/*
 * Tables become writable in chunks, so that a growing class splits its mapping only now and then and
 * accounted memory stays in proportion where the kernel does not overcommit.
 */
enum { CHUNK_BYTES = 64 << 10 };
_Static_assert(CHUNK_BYTES % (LG_BLOCK * sizeof(struct lg_region)) == 0, "whole blocks");

/* One past NULL: until the first region NULL, and whatever is aligned as a handle, is far from `tables`. */
struct lg_span lg_span = { .tables = 1 };

static uint64_t writable_bytes[LG_CLASSES]; /* of descriptors; under the class's refill lock */
static uint64_t writable_bits_bytes[LG_CLASSES];

static uint64_t bit_words(uint64_t regions)
{
	return lg_round_up((regions + 63) / 64 * 8, CHUNK_BYTES) / 8;
}

/* Where each class's tables start, for the span's shift. */
static void lay_out_tables(struct lg_span *span)
{
	uint64_t descriptors = 0, words = 0;

	span->classes = 0;
	for (unsigned index = 0; index < LG_CLASSES && lg_class_shift(index) <= span->shift;
	     index++) {
		uint64_t regions = (uint64_t)1 << (span->shift - lg_class_shift(index));

		span->starts[index] = descriptors;
		span->bit_starts[index] = words;
		descriptors += lg_round_up(regions, LG_BLOCK);
		words += bit_words(regions);
		span->classes++;
	}
	span->descriptors = descriptors;
	span->bits_bytes = words * 8;
}

static uint64_t bytes_of(const struct lg_span *span)
{
	return (uint64_t)span->classes << span->shift;
}

static uint64_t tables_bytes(const struct lg_span *span)
{
	return span->descriptors * sizeof(struct lg_region) + span->bits_bytes;
}

static int reserve_once(struct lg_span *span)
{
	uint64_t table_bytes = span->descriptors * sizeof(struct lg_region);
	void *base, *tables;
	int error = lg_os_reserve(bytes_of(span), (size_t)1 << span->shift, &base);

	if (error != 0)
		return error;
	error = lg_os_reserve(table_bytes + span->bits_bytes, CHUNK_BYTES, &tables);
	if (error != 0)
		goto undo_base;
	error = lg_os_map_zeros(tables, table_bytes + span->bits_bytes);
	if (error != 0)
		goto undo_tables;
	span->base = (uintptr_t)base;
	span->tables = (uintptr_t)tables;
	span->bits = span->tables + table_bytes;
	return 0;

undo_tables:
	lg_os_unreserve(tables, table_bytes + span->bits_bytes);
undo_base:
	lg_os_unreserve(base, bytes_of(span));
	return error;
}

/* Threads that free NULL or ask for the region of any address may look meanwhile. */
static void publish(const struct lg_span *span)
{
	lg_span.base = span->base;
	lg_span.shift = span->shift;
	lg_span.classes = span->classes;
	lg_span.class_first = span->class_first;
	lg_span.bits = span->bits;
	lg_span.bits_bytes = span->bits_bytes;
	memcpy(lg_span.starts, span->starts, sizeof(span->starts));
	memcpy(lg_span.bit_starts, span->bit_starts, sizeof(span->bit_starts));
	lg_store_relaxed(&lg_span.tables, span->tables);
	lg_store_relaxed(&lg_span.descriptors, span->descriptors);
	lg_store_release(&lg_span.bytes, bytes_of(span));
}

int lg_span_reserve(void)
{
	enum { SHIFT_MIN = 21 };
	uint64_t most = lg_os_address_space_bytes() / 4;
	struct lg_span span = { .class_first =
					lg_log2_floor(lg_os_page_bytes()) - LG_PAGE_SHIFT_MIN };
	int error =
		-ENOMEM; /* EAGAIN under mlockall, EINVAL from Valgrind: whatever it is, try less */

	span.shift = lg_log2_floor(lg_min(lg_option(span), lg_sanitizer_span_bytes()));
	for (; span.shift >= SHIFT_MIN; span.shift--) {
		lay_out_tables(&span);
		/* The alignment may reserve one span more for a moment; the tables come on top. */
		if (bytes_of(&span) + ((uint64_t)1 << span.shift) + tables_bytes(&span) > most)
			continue;
		error = reserve_once(&span);
		if (error == 0) {
			publish(&span);
			return 0;
		}
	}
	return lg_fail(-error, "no address space could be reserved (RLIMIT_AS is %llu bytes): %s",
		       (unsigned long long)lg_os_address_space_bytes(), lg_error_name(-error));
}

/* Makes a table writable up to `bytes`, in chunks. */
static int grow(uintptr_t table, uint64_t *writable, uint64_t bytes)
{
	bytes = lg_round_up(bytes, CHUNK_BYTES);
	if (bytes <= *writable)
		return 0;
	int error = lg_os_make_writable((void *)(table + *writable), bytes - *writable);
	if (error == 0)
		*writable = bytes;
	return error;
}

int lg_span_grow_tables(unsigned class, uint64_t numbers)
{
	uintptr_t table = (uintptr_t)lg_region_at(class, 0);
	int error = grow(table, &writable_bytes[class], numbers * sizeof(struct lg_region));

	if (error != 0)
		return error;
	table = lg_span.bits + lg_span.bit_starts[class] * 8;
	return grow(table, &writable_bits_bytes[class], (numbers + 63) / 64 * 8);
}

uint64_t lg_span_reserved_bytes(void)
{
	return lg_load_acquire(&lg_span.bytes) + tables_bytes(&lg_span);
}

void lg_span_forget(void)
{
	uint64_t bytes = tables_bytes(&lg_span);

	/* Replacing a mapping by one like it needs nothing the parent did not have. */
	LG_REQUIRE(lg_os_map_zeros((void *)lg_span.tables, bytes) == 0);
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		writable_bytes[index] = 0;
		writable_bits_bytes[index] = 0;
	}
}
