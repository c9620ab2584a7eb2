/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Static probes on the slow paths. */
#ifndef LG_REGION_PROBE_H
#define LG_REGION_PROBE_H

#include "base/probe.h"

#define lg_probe_refill(class, bytes) LG_PROBE(refill, class, bytes)
#define lg_probe_steal(class, count) LG_PROBE(steal, class, count)
#define lg_probe_reclaim(class, count) LG_PROBE(reclaim, class, count)
#define lg_probe_retire(class, bytes) LG_PROBE(retire, class, bytes)

#endif
