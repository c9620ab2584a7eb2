#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# bench_of_remote_objects_checks_itself.sh PROGRAM: each workload of remote objects and of its peers, small: it ends well,
# says its value, and leaves no file, no mount and no process. A peer that is not here, or may not mount, says that.
set -euo pipefail
. "$(dirname "$0")/bench_workloads.sh"
key=remote
value='-?[0-9]'

# A peer that is not here, or may not mount. Where objects cannot be mapped, there is nothing to test.
may_skip() {
	grep -q '^skip ' "$work/out" || return 1
	[ "$1" != lgalloc ] || {
		printf 'skipped: %s\n' "$(cat "$work/out")"
		exit 77
	}
}

runs "lgalloc rclone s3fs curl" "$1" stream bytes=4M delay=5 memory=8M
runs lgalloc "$1" stream bytes=8M delay=0 memory=4M order=backward url=http
runs "lgalloc s3fs" "$1" stream bytes=4M delay=0 unit=4K stride=2
runs "lgalloc s3fs" "$1" random bytes=8M delay=5 count=8 threads=4 each=4
runs "lgalloc curl" "$1" first bytes=1M delay=5
runs lgalloc "$1" peak bytes=8M memory=4M
if "$1" stream remote=nothing >"$work/out" 2>&1 || ! grep -q '^skip remote=nothing' "$work/out"; then
	printf 'a peer that there is not: %s\n' "$(cat "$work/out")"
	failed=1
fi
refuses "$1" first unit=4K "remote options url memory bytes delay"
# Killed in the middle: what it started ends, and what it made goes.
"$1" stream remote=lgalloc bytes=64M delay=500 memory=2M >"$work/out" 2>&1 &
killed=$!
for ((i = 0; i < 200; i++)); do
	pgrep -f "$work/lgalloc-bench-.*nginx.conf" >/dev/null && break
	sleep 0.05
done
kill -KILL $killed
wait $killed 2>/dev/null || true
for ((i = 0; i < 200; i++)); do
	pgrep -f "$work" >/dev/null || [ -n "$(find "$work" -mindepth 1 ! -name out)" ] || break
	sleep 0.05
done
left=$(find "$work" -mindepth 1 ! -name out | wc -l)
if [ "$left" -ne 0 ] || grep -q "$work" /proc/mounts; then
	printf 'files or mounts are left: %s\n' "$(ls "$work")"
	failed=1
fi
if pgrep -af "$work" >&2; then
	printf 'a process is left\n'
	failed=1
fi
exit "$failed"
