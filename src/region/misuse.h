/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef LG_REGION_MISUSE_H
#define LG_REGION_MISUSE_H

/* The program gave us what it must not: one line naming the address, then abort. */
_Noreturn void lg_misuse(const char *call, const void *address, const char *what);

#endif
