#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# bench_of_blocks_ends_well.sh REGIONS MALLOC: each workload of blocks, small, over regions and over malloc: it ends well and
# says its value. What it does not take it refuses.
set -euo pipefail
. "$(dirname "$0")/bench_workloads.sh"
key=size
value='-?[0-9]'

may_skip() {
	false
}

for program in "$1" "$2"; do
	for workload in pair touch window handoff; do
		runs "4K 2M" "$program" "$workload" ms=10
	done
	runs 64K "$program" batch count=10 ms=10
	runs 64K "$program" parallel threads=2 neighbours=1 ms=20
	runs 64K "$program" thread_start count=5
	runs 2M "$program" stall bytes=64M
	runs 2M "$program" idle bytes=16M threads=2 wait=10
	runs 2M "$program" verify bytes=16M
	runs 2M "$program" scan bytes=16M scans=1
	runs 2M "$program" scatter bytes=16M write=1 ms=10
	key=threads
	runs 2 "$program" larson ms=10
	runs 2 "$program" mstress count=100 transfer=8
	runs 2 "$program" rptest count=8 ms=10
	runs 2 "$program" xmalloc batch=8 queue=4 ms=10
	key=count
	runs 2 "$program" malloc_large
	key=max
	runs 4M "$program" growth
	key=passes
	runs 1 "$program" churn bytes=16M
	key=size

	refuses "$program" pair page=4K "size ms"
	refuses "$program" pair 4K "size ms"
	refuses "$program" pair siz=4K "size ms"
	refuses "$program" about size=4K none
done
"$1" statistics threads=2 count=5 >"$work/out"
exit "$failed"
