#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: a block cache larger than the memory there is works, its blocks paged out to the regions' file; every value
# read is compared with what it must be. The same cache from malloc ends the program.
. "$(dirname "$0")/../workplace.sh"
. "$(dirname "$0")/../memory_group.sh"
program=$1
memory_mib=64
load=(--keys=200K --cache-size=128M --reads=40K --settle=0 "$place/table")
has_room 512

"$program" --cache-size=1M --keys=200K --reads=1 --settle=0 "$place/table" >/dev/null || fail "filling"
make_group "$memory_mib" || skip "no memory control group may be made here"
LGALLOC_CONF="backing:file,dir:$place" run_limited "$program" "${load[@]}" >"$place/got" ||
	fail "in $memory_mib MiB: status $?"
cat "$place/got"
echo "at most $(group_peak_mib) MiB in use"
awk '/^cache/ { exit !($2 > 64) }' "$place/got" || fail "the cache never was larger than memory"
if has_swap; then
	echo "there is swap here: malloc's cache was not tried"
else
	status=0
	run_limited "$program" --allocator=default "${load[@]}" >"$place/default" 2>&1 || status=$?
	[ "$status" = 137 ] || fail "malloc's cache in $memory_mib MiB: status $status, not 137 (killed)"
	echo "malloc's cache in $memory_mib MiB: killed"
fi
