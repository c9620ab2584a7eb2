/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Ordered atomic operations. The name says the order, so a reader sees the edge at the call; the edges
 * themselves are numbered in the header of the structure that uses them.
 */
#ifndef LG_BASE_ATOMIC_H
#define LG_BASE_ATOMIC_H

#include <stdatomic.h>

#define lg_load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define lg_load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define lg_load_ordered(p) atomic_load_explicit((p), memory_order_seq_cst)
#define lg_store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define lg_store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define lg_store_ordered(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define lg_add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define lg_add_release(p, v) atomic_fetch_add_explicit((p), (v), memory_order_release)
#define lg_add_ordered(p, v) atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define lg_sub_relaxed(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define lg_sub_release(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_release)
#define lg_and_acquire(p, v) atomic_fetch_and_explicit((p), (v), memory_order_acquire)
#define lg_and_relaxed(p, v) atomic_fetch_and_explicit((p), (v), memory_order_relaxed)
#define lg_or_relaxed(p, v) atomic_fetch_or_explicit((p), (v), memory_order_relaxed)
#define lg_or_release(p, v) atomic_fetch_or_explicit((p), (v), memory_order_release)
#define lg_swap_acquire(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define lg_swap_release(p, v) atomic_exchange_explicit((p), (v), memory_order_release)
#define lg_swap_ordered(p, v) atomic_exchange_explicit((p), (v), memory_order_seq_cst)

/* Compare and swap; on failure *expected is what was there. */
#define lg_cas_relaxed(p, expected, v)                                                             \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_relaxed,        \
						memory_order_relaxed)
#define lg_cas_acquire(p, expected, v)                                                             \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_acquire,        \
						memory_order_relaxed)
#define lg_cas_release(p, expected, v)                                                             \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_release,        \
						memory_order_relaxed)
#define lg_cas_ordered(p, expected, v)                                                             \
	atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_seq_cst,        \
						memory_order_seq_cst)

/* Keeps the compiler from moving accesses across; the processor is kept by membarrier elsewhere. */
#define lg_compiler_barrier() atomic_signal_fence(memory_order_seq_cst)

/* A counter with one writer: no read-modify-write is needed. */
#define lg_own_add(p, n) lg_store_relaxed((p), lg_load_relaxed(p) + (n))

#endif
