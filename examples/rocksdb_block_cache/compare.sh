#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# usage: compare.sh PROGRAM [RUNS]
#
# The table of examples/README.md: RocksDB's block cache from malloc and from regions, in turn, medians of RUNS (5);
# jemalloc's malloc too where its library is. A quarter of an hour; 2 GiB of disk space in TMPDIR (/var/tmp), and memory
# groups for the last part.
. "$(dirname "$0")/../workplace.sh"
. "$(dirname "$0")/../memory_group.sh"
. "$(dirname "$0")/../median.sh"
[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
program=$(realpath "$1")
runs=${2:-5}
cd "$place"
has_room 2048
unset LGALLOC_CONF
jemalloc=$(ldconfig -p 2>/dev/null | awk '$1 == "libjemalloc.so.2" { print $NF; exit }')

# once TABLE NAME COMMAND...: adds "NAME reads/s p50-us p99-us processor-s charged full peak smaller trimmed erased".
once() {
	local table=$1 name=$2 status=0
	shift 2
	run_limited "$@" >out 2>/dev/null || status=$?
	if [ "$status" != 0 ]; then
		echo "$name" "$status" >>"$table.ended"
		return
	fi
	tr -d , <out | awk -v name="$name" '/^reads/ { speed = $2; p50 = $5; p99 = $8; cpu = $13 } /^cache/ { charged = $2 }
		/^full/ { peak = $7 } /^smaller/ { smaller = $2; trimmed = $8 }
		/^erased/ { print name, speed, p50, p99, cpu, charged, peak, smaller, trimmed, $2 }' >>"$table"
}

show() {
	printf "  %-22s%12s %6s%12s %6s%12s %6s%12s %6s%12s %6s%12s %6s%12s %6s%12s %6s%12s\n" '' reads/s '' 'p50 us' '' \
		'p99 us' '' 'cpu s' '' 'charged' '' 'peak MiB' '' 'smaller' '' trimmed '' erased
	[ ! -e "$1" ] || medians "$1" 22 2 3 4 5 6 7 8 9 10
	[ ! -e "$1.ended" ] || sort "$1.ended" | uniq -c |
		awk '{ printf "  %-22s ended with status %d%s, %d of '"$runs"'\n", $2, $3, $3 == 137 ? " (killed)" : "", $1 }'
}

# Tables made beforehand: no run pays for it.
for block in 4K 16K 64K; do
	"$program" --keys=500K --block-size=$block --cache-size=1M --reads=1 --settle=0 table.$block >/dev/null
done

for block in 4K 16K 64K; do
	echo "blocks of $block, 500K keys of 400 bytes (200 MiB), cache of 128M, 100K reads, 2 threads:"
	for _ in $(seq "$runs"); do
		load=(--keys=500K --block-size=$block --cache-size=128M --reads=100K table.$block)
		once $block malloc "$program" --allocator=default "${load[@]}"
		once $block regions-anon "$program" --backing=anon "${load[@]}"
		[ -z "$jemalloc" ] ||
			once $block jemalloc env LD_PRELOAD="$jemalloc" "$program" --allocator=default "${load[@]}"
	done
	show $block
done

make_group 128 || { echo "the rest is left out: no memory group may be made here"; exit 0; }
echo "blocks of 16K, 128 MiB of memory:"
for _ in $(seq "$runs"); do
	load=(--keys=500K --reads=100K --settle=0 table.16K)
	once limit malloc-80M "$program" --allocator=default --cache-size=80M "${load[@]}"
	once limit malloc-256M "$program" --allocator=default --cache-size=256M "${load[@]}"
	once limit regions-file-256M "$program" --backing=file --cache-size=256M "${load[@]}"
done
show limit
