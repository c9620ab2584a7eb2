#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: 320 MiB of keys are sorted by a program that has 64 MiB, page cache included.
# Oracle: the whole by order and order-free sums (--verify), a sample by sort(1).
. "$(dirname "$0")/../workplace.sh"
. "$(dirname "$0")/../memory_group.sh"
program=$1
memory_mib=64
keys=40M
has_room 2048

"$program" --generate="$keys" --seed=7 "$place/in"
if make_group "$memory_mib"; then
	echo "in a memory group of $memory_mib MiB: $group"
else
	echo "no memory group may be made here: the limit is --memory alone"
fi
run_limited "$program" -v -m "${memory_mib}M" -o "dir:$place" "$place/in" "$place/out"
peak=$(group_peak_mib)
[ -z "$peak" ] || echo "at most $peak MiB in use"
"$program" --verify "$place/in" "$place/out"
"$program" --sample=1000 "$place/in" | sort -n >"$place/wanted"
"$program" --sample=1000 "$place/out" >"$place/got"
cmp "$place/wanted" "$place/got" || fail "the sample is not as sort(1) has it"
[ "$(wc -l <"$place/got")" -gt 10000 ] || fail "the sample is too small to say anything"
echo "$(wc -l <"$place/got") keys as sort(1) has them"
