/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Static probes (USDT) on the slow paths, for bpftrace and perf; nothing where sys/sdt.h is missing. */
#ifndef LG_REGION_PROBE_H
#define LG_REGION_PROBE_H

#ifdef LG_HAVE_SDT
#include <sys/sdt.h>
#ifdef __clang__ /* the macros of sdt.h end in an empty variable argument */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define LG_PROBE(name, a, b) DTRACE_PROBE2(lgalloc, name, a, b)
#else
#define LG_PROBE(name, a, b) ((void)(a), (void)(b))
#endif

#define lg_probe_refill(class, bytes) LG_PROBE(refill, class, bytes)
#define lg_probe_steal(class, count) LG_PROBE(steal, class, count)
#define lg_probe_reclaim(class, count) LG_PROBE(reclaim, class, count)
#define lg_probe_retire(class, bytes) LG_PROBE(retire, class, bytes)

#endif
