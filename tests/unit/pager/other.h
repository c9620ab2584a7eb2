/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A map of memory alone, that is to go on beside one whose store does not work. */
#ifndef UNIT_PAGER_OTHER_H
#define UNIT_PAGER_OTHER_H

#include "unit/pager/shelved.h"

enum { OTHER_BYTES = 32 << 20, OTHER_PAGE = 4096 };

static lg_map *other;

static int other_start(void)
{
	other = lg_map_memory(pager, OTHER_BYTES, NULL);
	return other != NULL ? 0 : -1;
}

/* A touch of it that finds no memory is SIGBUS. */
static void other_go_through(char value)
{
	volatile char *bytes = lg_map_data(other);

	for (size_t at = 0; at < OTHER_BYTES; at += OTHER_PAGE)
		bytes[at] = (char)(value + (char)(at / OTHER_PAGE % 20));
	for (size_t at = 0; at < OTHER_BYTES; at += OTHER_PAGE)
		assert_int_equal(bytes[at], (char)(value + (char)(at / OTHER_PAGE % 20)));
}

#endif
