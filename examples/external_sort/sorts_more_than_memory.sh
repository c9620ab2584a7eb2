#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: 320 MiB of keys are sorted by a program that has 64 MiB, page cache included.
# Oracle: the whole by order and order-free sums (--verify), a sample by sort(1).
. "$(dirname "$0")/../workplace.sh"
program=$1
memory_mib=64
keys=40M
has_room 2048

# A control group that holds the program to its word, of version 1 or 2, where we may make one.
group=
make_group() {
	local name=lgalloc-example.$$
	if mkdir "/sys/fs/cgroup/memory/$name" 2>/dev/null; then
		group=/sys/fs/cgroup/memory/$name
		echo $((memory_mib << 20)) >"$group/memory.limit_in_bytes" 2>/dev/null && return
	elif mkdir "/sys/fs/cgroup/$name" 2>/dev/null; then
		group=/sys/fs/cgroup/$name
		echo $((memory_mib << 20)) 2>/dev/null >"$group/memory.max" && return
	fi
	remove_group
}

# The kernel lets go of a group a moment after its last process ended; rmdir says when.
remove_group() {
	[ -n "$group" ] || return 0
	for _ in $(seq 1000); do
		if rmdir "$group" 2>/dev/null; then
			group=
			return 0
		fi
	done
	echo "cannot remove $group" >&2
}
trap 'remove_group; leave' EXIT

run_limited() {
	if [ -n "$group" ]; then
		sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
	else
		"$@"
	fi
}

"$program" --generate="$keys" --seed=7 "$place/in"
make_group
if [ -n "$group" ]; then
	echo "in a memory group of $memory_mib MiB: $group"
else
	echo "no memory group may be made here: the limit is --memory alone"
fi
run_limited "$program" -v -m "${memory_mib}M" -o "dir:$place" "$place/in" "$place/out"
for peak in memory.max_usage_in_bytes memory.peak; do
	[ -z "$group" ] || [ ! -r "$group/$peak" ] || echo "at most $(($(cat "$group/$peak") >> 20)) MiB in use"
done
"$program" --verify "$place/in" "$place/out"
"$program" --sample=1000 "$place/in" | sort -n >"$place/wanted"
"$program" --sample=1000 "$place/out" >"$place/got"
cmp "$place/wanted" "$place/got" || fail "the sample is not as sort(1) has it"
[ "$(wc -l <"$place/got")" -gt 10000 ] || fail "the sample is too small to say anything"
echo "$(wc -l <"$place/got") keys as sort(1) has them"
