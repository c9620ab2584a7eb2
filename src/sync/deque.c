/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/deque.h"

#include "base/require.h"
#include "sync/annotate.h"

#include <ck_pr.h>
#include <stddef.h>

static void **slot_of(struct lg_deque *deque, uint64_t index)
{
	return &deque->slots[index & (LG_DEQUE_SLOTS - 1)];
}

static int64_t distance(uint64_t from, uint64_t to)
{
	return (int64_t)(to - from);
}

unsigned lg_deque_push(struct lg_deque *deque, void *const *values, unsigned count, unsigned limit)
{
	uint64_t bottom = ck_pr_load_64(&deque->bottom);
	uint64_t top = ck_pr_load_64(&deque->top);
	int64_t inside = distance(top, bottom);

	if (limit > LG_DEQUE_SLOTS)
		limit = LG_DEQUE_SLOTS;
	if (inside >= (int64_t)limit)
		return 0;
	if (count > limit - (unsigned)inside)
		count = limit - (unsigned)inside;
	ck_pr_fence_acquire(); /* D3 */
	for (unsigned i = 0; i < count; i++)
		ck_pr_store_ptr(slot_of(deque, bottom + i), values[i]);
	lg_annotate_release(deque);
	ck_pr_fence_release(); /* D1 */
	ck_pr_store_64(&deque->bottom, bottom + count);
	return count;
}

unsigned lg_deque_take(struct lg_deque *deque, void **values, unsigned count)
{
	uint64_t bottom = ck_pr_load_64(&deque->bottom);
	int64_t inside = distance(ck_pr_load_64(&deque->top), bottom);

	if (inside <= 0 || count == 0)
		return 0;
	if (count > (uint64_t)inside)
		count = (unsigned)inside;
	uint64_t first = bottom - count;
	ck_pr_fas_64(&deque->bottom, first);
	ck_pr_fence_atomic_load(); /* D2 */
	uint64_t top = ck_pr_load_64(&deque->top);
	if (distance(top, first) <= 0) { /* a thief may hold index top, and has all below it */
		bool raced = distance(top, bottom) > 0;
		bool won = raced && ck_pr_cas_64(&deque->top, top, top + 1);

		first = won ? top : top + (raced ? 1 : 0);
		ck_pr_store_64(&deque->bottom, top + (raced ? 1 : 0));
	}
	count = (unsigned)distance(first, bottom);
	for (unsigned i = 0; i < count; i++)
		values[i] = ck_pr_load_ptr(slot_of(deque, first + i));
	return count;
}

void *lg_deque_steal(struct lg_deque *deque)
{
	uint64_t top = ck_pr_load_64(&deque->top);

	ck_pr_fence_atomic_load(); /* D2: full on aarch64, where top may be this thief's own last swap */
	if (distance(top, ck_pr_load_64(&deque->bottom)) <= 0)
		return NULL;
	ck_pr_fence_load(); /* D1 */
	void *value = ck_pr_load_ptr(slot_of(deque, top));
	ck_pr_fence_load_atomic(); /* D3 */
	if (!ck_pr_cas_64(&deque->top, top, top + 1))
		return NULL;
	lg_annotate_acquire(deque); /* D1 */
	return value;
}

unsigned lg_deque_count(struct lg_deque *deque)
{
	uint64_t top = ck_pr_load_64(&deque->top);

	ck_pr_fence_load();
	int64_t inside = distance(top, ck_pr_load_64(&deque->bottom));
	if (inside <= 0)
		return 0;
	return inside < LG_DEQUE_SLOTS ? (unsigned)inside : LG_DEQUE_SLOTS;
}

void lg_deque_clear(struct lg_deque *deque)
{
	ck_pr_store_64(&deque->bottom, ck_pr_load_64(&deque->top));
}

void lg_deque_check(struct lg_deque *deque)
{
	int64_t inside = distance(deque->top, deque->bottom);

	LG_REQUIRE(inside >= 0);
	LG_REQUIRE(inside <= LG_DEQUE_SLOTS);
}
