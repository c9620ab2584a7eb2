/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Warms the system's free memory. On a virtual machine the first touch of a page that the host has
 * not yet backed costs up to ten times what it costs afterwards, and hosts take free memory away
 * again. A process that touches so much and ends leaves backed pages on the top of the kernel's
 * free lists, where the next process finds them; so what is measured cold is the allocator and the
 * kernel, not the host.
 */
#ifndef BENCH_WARM_H
#define BENCH_WARM_H

#include <stdint.h>

/* At most half of what is available now. */
void warm_memory(uint64_t bytes);

#endif
