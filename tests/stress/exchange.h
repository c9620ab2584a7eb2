/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An exchange: slots through which threads hand each other regions. The number a region's contents
 * were stamped with travels with it.
 *
 * Ordering edge X1: a put is release, a take acquire: the stamp is there when the region is.
 */
#ifndef STRESS_EXCHANGE_H
#define STRESS_EXCHANGE_H

#include "stress/claim.h"
#include "stress/random.h"
#include "stress/stamp.h"

#include <stdatomic.h>
#include <stdbool.h>

struct parcel {
	lg_region *region;
	uint64_t id;
};

/* A region of 2^low to 2^high bytes, stamped. */
static inline struct parcel parcel_make(uint64_t *random, unsigned low, unsigned high)
{
	struct parcel parcel = { lg_region_new(random_size(random, low, high)),
				 random_next(random) };

	CLAIM(parcel.region != NULL);
	stamp_write(lg_region_data(parcel.region), lg_region_size(parcel.region), parcel.id);
	return parcel;
}

static inline void parcel_check_and_free(struct parcel parcel)
{
	CLAIM(stamp_holds(lg_region_data(parcel.region), lg_region_size(parcel.region), parcel.id));
	lg_region_free(parcel.region);
}

enum { EXCHANGE_SLOTS = 64 };

/* One word a slot: EMPTY, BUSY (somebody writes or reads the parcel) or FULL. */
enum { EXCHANGE_EMPTY, EXCHANGE_BUSY, EXCHANGE_FULL };

struct exchange {
	struct exchange_slot {
		_Alignas(64) atomic_int state;
		struct parcel parcel;
	} slots[EXCHANGE_SLOTS];
};

/* False: that slot is taken; the parcel is still the caller's. */
static inline bool exchange_put(struct exchange *exchange, size_t where, struct parcel parcel)
{
	struct exchange_slot *slot = &exchange->slots[where % EXCHANGE_SLOTS];
	int expected = EXCHANGE_EMPTY;

	if (!atomic_compare_exchange_strong_explicit(&slot->state, &expected, EXCHANGE_BUSY,
						     memory_order_acquire, memory_order_relaxed))
		return false;
	slot->parcel = parcel;
	atomic_store_explicit(&slot->state, EXCHANGE_FULL, memory_order_release); /* X1 */
	return true;
}

static inline bool exchange_take(struct exchange *exchange, size_t where, struct parcel *parcel)
{
	struct exchange_slot *slot = &exchange->slots[where % EXCHANGE_SLOTS];
	int expected = EXCHANGE_FULL;

	if (!atomic_compare_exchange_strong_explicit(&slot->state, &expected, EXCHANGE_BUSY,
						     memory_order_acquire, /* X1 */
						     memory_order_relaxed))
		return false;
	*parcel = slot->parcel;
	atomic_store_explicit(&slot->state, EXCHANGE_EMPTY, memory_order_release);
	return true;
}

#endif
