/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A static probe (USDT) for bpftrace, perf and gdb: a nop; nothing where sys/sdt.h is missing. */
#ifndef LG_BASE_PROBE_H
#define LG_BASE_PROBE_H

#ifdef LG_HAVE_SDT
#include <sys/sdt.h>
#ifdef __clang__ /* the macros of sdt.h end in an empty variable argument */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define LG_PROBE(name, a, b) DTRACE_PROBE2(lgalloc, name, a, b)
#else
#define LG_PROBE(name, a, b) ((void)(a), (void)(b))
#endif

#endif
