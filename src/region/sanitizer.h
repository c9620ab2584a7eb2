/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tells Valgrind and AddressSanitizer which regions may be touched, so that use after free is reported.
 *
 * Found at run time: AddressSanitizer by its weak symbols, whether the program or this library was built
 * with it, Valgrind by its client request. Nothing of this is on the hit path: while it is active,
 * threads get no cache, and every call takes the cold path.
 */
#ifndef LG_REGION_SANITIZER_H
#define LG_REGION_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void lg_sanitizer_start(void);

/* Regions are annotated, and threads must not have caches. Constant after the start. */
extern bool lg_sanitizer_active;

/* The largest span a sanitizer's address layout has room for; UINT64_MAX without one. */
uint64_t lg_sanitizer_span_bytes(void);

void lg_sanitizer_hand_out(void *data, size_t bytes, bool zero);
void lg_sanitizer_take_back(void *data, size_t bytes);

/* The range is no region any more and of no concern. */
void lg_sanitizer_allow(void *data, size_t bytes);

#endif
