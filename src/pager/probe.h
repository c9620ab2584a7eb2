/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Static probes of the pager. Of each the first argument is an address in the map, or how many bytes. */
#ifndef LG_PAGER_PROBE_H
#define LG_PAGER_PROBE_H

#include "base/probe.h"

#define lg_probe_fault(address, ns) LG_PROBE(fault, address, ns)
#define lg_probe_fill(address, bytes) LG_PROBE(fill, address, bytes)
/* Not as one byte: debuggers do not know all names of such registers. */
#define lg_probe_evict(bytes, direct) LG_PROBE(evict, bytes, (uint64_t)(direct))
#define lg_probe_write(address, bytes) LG_PROBE(write, address, bytes)
#define lg_probe_poison(address, error) LG_PROBE(poison, address, error)

#endif
