/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_OS_CLOCK_H
#define LG_OS_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock; never 0. */
uint64_t lg_os_now_ms(void);

/* Nanoseconds of the monotonic clock. */
uint64_t lg_os_now_ns(void);

/* Milliseconds since 1970. */
uint64_t lg_os_unix_ms(void);

void lg_os_sleep_us(unsigned us);

#endif
