# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Sourced after workplace.sh: a memory control group, of version 1 or 2, that holds a program to its word.
group=
remove_group() {
	[ -n "$group" ] || return 0
	# The kernel lets go of a group a moment after its last process ended; rmdir says when.
	for _ in $(seq 1000); do
		if rmdir "$group" 2>/dev/null; then
			group=
			return 0
		fi
	done
	echo "cannot remove $group" >&2
}
trap 'remove_group; leave' EXIT

# make_group MIB: without swap where the kernel counts it. Fails, and $group is empty, where none may be made.
make_group() {
	local name=lgalloc-example.$$ bytes=$(($1 << 20))
	if mkdir "/sys/fs/cgroup/memory/$name" 2>/dev/null; then
		group=/sys/fs/cgroup/memory/$name
		if echo "$bytes" 2>/dev/null >"$group/memory.limit_in_bytes"; then
			echo 0 2>/dev/null >"$group/memory.swappiness" || true
			[ ! -w "$group/memory.memsw.limit_in_bytes" ] ||
				echo "$bytes" 2>/dev/null >"$group/memory.memsw.limit_in_bytes" || true
			return 0
		fi
	elif mkdir "/sys/fs/cgroup/$name" 2>/dev/null; then
		group=/sys/fs/cgroup/$name
		# Not where only a file system for the mounts of version 1 is: it would take any directory.
		if [ -w "$group/memory.max" ] && echo "$bytes" 2>/dev/null >"$group/memory.max"; then
			[ ! -w "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"
			return 0
		fi
	fi
	remove_group
	return 1
}

# run_limited COMMAND...: in the group if there is one.
run_limited() {
	if [ -n "$group" ]; then
		sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
	else
		"$@"
	fi
}

# The most that the group had in use, page cache included; nothing where the kernel does not say.
group_peak_mib() {
	local peak
	for peak in memory.max_usage_in_bytes memory.peak; do
		if [ -n "$group" ] && [ -r "$group/$peak" ]; then
			echo $(($(cat "$group/$peak") >> 20))
		fi
	done
}

# Whether the kernel could push anonymous memory out instead of ending a program.
has_swap() {
	[ "$(wc -l </proc/swaps)" -gt 1 ]
}
