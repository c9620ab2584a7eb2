#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# usage: compare.sh PROGRAM [RUNS]
#
# The table of examples/README.md: SQLite's own page cache and that in regions, in turn, medians of RUNS (5).
# Ten minutes; 2 GiB of disk space in TMPDIR (/var/tmp), and memory groups for the second half.
. "$(dirname "$0")/../workplace.sh"
. "$(dirname "$0")/../memory_group.sh"
. "$(dirname "$0")/../median.sh"
[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
program=$(realpath "$1")
runs=${2:-5}
cd "$place"
has_room 2048
unset LGALLOC_CONF

# Without waiting for the disk: it is the same for both. "fast" can undo nothing: not for all steps.
logged='PRAGMA journal_mode=wal; PRAGMA synchronous=off'
fast='PRAGMA journal_mode=off; PRAGMA synchronous=off'

# once TABLE NAME ARGUMENT...: adds "NAME wall-ms processor-ms peak-MiB released-MiB trimmed-MiB", or how it ended.
once() {
	local table=$1 name=$2 status=0
	shift 2
	run_limited "$program" "$@" >out 2>/dev/null || status=$?
	rm -f ./*.db*
	if [ "$status" != 0 ]; then
		echo "$name" "$status" >>"$table.ended"
		return
	fi
	awk -v name="$name" '/^total/ { wall = $2; cpu = $4 } /^resident/ { peak = $6 } /^released/ { left = $2 }
		/^trimmed/ { print name, wall, cpu, peak, left, $2 }' out >>"$table"
}

head_line() { printf "  %-26s%12s %6s%12s %6s%12s %6s%12s %6s%12s\n" '' 'wall ms' '' 'cpu ms' '' 'peak MiB' '' 'left MiB' '' 'trimmed'; }

show() {
	[ ! -e "$1" ] || medians "$1" 26 2 3 4 5 6
	[ ! -e "$1.ended" ] || sort "$1.ended" | uniq -c |
		awk '{ printf "  %-26s ended with status %d%s, %d of '"$runs"'\n", $2, $3, $3 == 137 ? " (killed)" : "", $1 }'
}

echo "all steps, 400K rows on disk, cache_size 512M, all in memory:"
for _ in $(seq "$runs"); do
	load=(--rows=400K --cache-size=512M --settle=2000 --pragma "$logged" t.db)
	once disk default --cache=default "${load[@]}"
	once disk regions-anon --backing=anon "${load[@]}"
done
head_line
show disk

echo "the same load of 100K rows, 15 s after its release (one run each):"
load=(--rows=100K --cache-size=512M --settle=15000 --pragma "$logged" t.db)
once settled default --cache=default "${load[@]}"
once settled regions-anon --backing=anon "${load[@]}"
head_line
show settled

echo "two connections, 150K rows each, cache_size 256M:"
for _ in $(seq "$runs"); do
	load=(--rows=150K --threads=2 --cache-size=256M --pragma "$logged" t.db)
	once two default --cache=default "${load[@]}"
	once two regions-anon --backing=anon "${load[@]}"
done
head_line
show two

echo "in memory, 400K rows, no limit:"
steps=fill,index,find,range,delete,all
for _ in $(seq "$runs"); do
	load=(--rows=400K --steps=$steps --pragma "$fast" :memory:)
	once memory default --cache=default "${load[@]}"
	once memory regions-anon --backing=anon "${load[@]}"
	once memory regions-file --backing=file "${load[@]}"
done
head_line
show memory

make_group 96 || { echo "the rest is left out: no memory group may be made here"; exit 0; }
echo "the same and on disk, 96 MiB of memory (some 130 MiB of pages):"
for _ in $(seq "$runs"); do
	load=(--rows=400K --steps=fill,index,find --pragma "$fast")
	once limit default-on-disk-32M --cache=default --cache-size=32M "${load[@]}" t.db
	once limit default-on-disk-256M --cache=default --cache-size=256M "${load[@]}" t.db
	once limit default-in-memory --cache=default "${load[@]}" :memory:
	once limit regions-in-memory-file --backing=file "${load[@]}" :memory:
	once limit regions-on-disk-256M-file --backing=file --cache-size=256M "${load[@]}" t.db
done
head_line
show limit
