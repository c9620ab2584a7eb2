/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What tests of one map of a shelf begin and end with. */
#ifndef UNIT_PAGER_SHELVED_H
#define UNIT_PAGER_SHELVED_H

#include "stress/shelf.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>

static lg_pager *pager;
static struct shelf shelf;
static lg_map *map;
static char *data;

/* -1: no pager (errno says why, lg_error too) or no map. */
static int shelved_start(const char *options, const struct lg_store_ops *ops, size_t bytes)
{
	pager = lg_pager_new(options);
	if (pager == NULL)
		return -1;
	shelf_make(&shelf, bytes);
	map = lg_map_store(pager, ops, &shelf, shelf.length, NULL);
	data = lg_map_data(map);
	return map != NULL ? 0 : -1;
}

static int shelved_end(void **state)
{
	int closed = lg_map_close(map), freed = lg_pager_free(pager);

	(void)state;
	shelf_end(&shelf);
	return closed != 0 || freed != 0;
}

#endif
