#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: each run finds the list of the runs before, at whatever address the heap lies; what is no heap is refused.
. "$(dirname "$0")/workplace.sh"
program=$1
list=$place/list.heap

"$program" "$list" >"$place/out"
for run in 1 2 3 4 5; do
	"$program" "$list" >"$place/out"
	grep -E '^[0-9]+$' "$place/out" | diff <(seq 0 $((8 + run))) - || fail "run $run"
done
cat "$place/out"
lgalloc=$2
"$lgalloc" heap check "$list" >"$place/out" || fail "the heap is not sound: $(cat "$place/out")"
refused 'usage' "$program"
refused 'no file can be made there' "$program" nowhere/list
echo 'dear diary' >"$place/text"
refused 'it is no heap' "$program" "$place/text"
