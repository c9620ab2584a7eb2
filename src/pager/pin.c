/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/pin.h"

#include "base/error.h"
#include "pager/fault.h"
#include "pager/map.h"

#include <errno.h>

/* The rest of the budget is for pages that come and go. */
static uint64_t pinned_most(const struct lg_pager *pager)
{
	uint64_t budget = lg_load_relaxed(&pager->budget);

	return budget - budget / 8;
}

/* *before: how many pins it had. */
static int pin(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t *before)
{
	uint64_t seen;
	int error = lg_fault_claim(map, page, access, &seen);

	if (error != 0)
		return error;
	*before = seen & LG_WORD_PINS;
	if (*before == LG_WORD_PINS)
		error = -EOVERFLOW;
	else
		lg_add_relaxed(&map->words[page], LG_WORD_PIN); /* W2: BUSY is ours */
	lg_word_release(&map->words[page], seen);
	return error;
}

int lg_pin_page(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	uint64_t before;

	return pin(map, page, access, &before);
}

void lg_unpin_page(struct lg_map *map, uint64_t page)
{
	lg_sub_release(&map->words[page], LG_WORD_PIN);
}

/* One pin less; false: there was none. */
static bool unpin(struct lg_map *map, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	do {
		if ((seen & LG_WORD_PINS) == 0)
			return false;
	} while (!lg_cas_release(&map->words[page], &seen, seen - LG_WORD_PIN));
	if ((seen & LG_WORD_PINS) == LG_WORD_PIN)
		lg_sub_relaxed(&map->pager->pinned, lg_map_page_bytes(map));
	return true;
}

static bool charge_pins(struct lg_pager *pager, uint64_t bytes)
{
	uint64_t pinned = lg_load_relaxed(&pager->pinned);

	do {
		if (pinned + bytes > pinned_most(pager))
			return false;
	} while (!lg_cas_relaxed(&pager->pinned, &pinned, pinned + bytes));
	return true;
}

static int pin_all(struct lg_map *map, uint64_t first, uint64_t end)
{
	enum lg_os_access access = map->readonly ? LG_OS_ACCESS_READ : LG_OS_ACCESS_WRITE;
	uint64_t page, before, bytes = lg_map_page_bytes(map);
	int error = 0;

	for (page = first; page < end; page++) {
		if (!charge_pins(map->pager, bytes)) {
			error = lg_fail(ENOMEM,
					"%zu bytes cannot be pinned: with what is pinned already it is "
					"more than seven eighths of the budget of %zu",
					(size_t)((end - first) * bytes),
					(size_t)lg_load_relaxed(&map->pager->budget));
			break;
		}
		error = pin(map, page, access, &before);
		if (error != 0 || before > 0)
			lg_sub_relaxed(&map->pager->pinned, bytes);
		if (error != 0) {
			error = lg_fail(-error, "page %zu cannot be pinned: %s", (size_t)page,
					lg_error_name(-error));
			break;
		}
	}
	if (error == 0)
		return 0;
	while (page-- > first)
		(void)unpin(map, page);
	return error;
}

int lg_map_pin(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	if (lg_pager_of_caller(map->pager) == NULL)
		return -ECHILD;
	if ((end - first) << map->shift <= pinned_most(map->pager))
		lg_prefetch_range(map, first, end);
	return pin_all(map, first, end);
}

int lg_map_unpin(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	for (uint64_t page = first; error == 0 && page < end; page++)
		if (!unpin(map, page))
			error = lg_fail(EINVAL, "page %zu is not pinned", (size_t)page);
	return error;
}
