#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# probes_fire_with_what_is_counted.sh HOLDER LIBRARY HAVE_SDT: the library has the static probes, and what gdb
# sees at them adds up to what the program's own counters say.
set -euo pipefail
holder=$1 library=$2
. "$(dirname -- "$0")/programs.sh"
[ "${3:-}" ] || skip "the library was built without sys/sdt.h (Debian's systemtap-sdt-dev)"
need readelf binutils

readelf -n "$library" >"$work/notes"
for probe in refill steal reclaim retire fault fill evict write poison; do
	grep -A3 "Provider: lgalloc" "$work/notes" | grep "Name: $probe\$" >/dev/null || fail "a note of lgalloc:$probe"
done
[ "$(grep -A4 "Provider: lgalloc" "$work/notes" | grep -c "Arguments: [^ ]*@[^ ]* [^ ]*@[^ ]*$")" -ge 9 ] ||
	fail "every probe has two arguments"

need gdb gdb
gdb -batch -nx -ex run "$(command -v true)" >"$work/gdb" 2>&1 && grep -q 'exited normally' "$work/gdb" ||
	skip "the notes are there; gdb may not run a program here"

# Areas of two regions, a small cache: another thread's deque is then where the last ones are.
cat >"$work/input" <<INPUT
thread 1048576 8
new 1048576 8
new 65536 3
write 3 $work/counted
end
INPUT
{
	printf 'set pagination off\nset confirm off\nset print thread-events off\nhandle SIG32 nostop noprint\n'
	printf 'set startup-with-shell on\nbreak main\nrun <"%s" >"%s"\n' "$work/input" "$work/answers"
	printf 'handle SIGBUS nostop noprint pass\n'
	for probe in refill steal reclaim retire fault fill evict write poison; do
		printf 'break -probe-stap lgalloc:%s\ncommands\nsilent\n' "$probe"
		printf 'printf "probe %s %%lu %%lu\\n", (unsigned long)$_probe_arg0, (unsigned long)$_probe_arg1\n' "$probe"
		printf 'continue\nend\n'
	done
	printf 'continue\n'
} >"$work/script"
LGALLOC_CONF="area_max:2M,cache_bytes:4M,background:off,dirty_bytes:8M,backing:anon" \
	gdb -batch -nx -x "$work/script" "$holder" >"$work/gdb" 2>&1 || fail "gdb ends well: $(tail -n 5 "$work/gdb")"
[ -s "$work/counted" ] || fail "the program ran to its end under gdb: $(tail -n 5 "$work/gdb")"

# counter NAME CLASS, hits PROBE CLASS, sum PROBE CLASS: the last two of what gdb saw
counter()
{
	sed -n "s/^lgalloc_$1{class=\"$2\"} //p" "$work/counted"
}
hits()
{
	awk -v p="$1" -v c="$2" '$1 == "probe" && $2 == p && $3 == c { n++ } END { print n + 0 }' "$work/gdb"
}
sum()
{
	awk -v p="$1" -v c="$2" '$1 == "probe" && $2 == p && $3 == c { n += $4 } END { printf "%d\n", n }' "$work/gdb"
}

for class in 4:65536 8:1048576; do
	index=${class%:*} bytes=${class#*:}
	[ "$(hits refill "$index")" -eq "$(counter refills_total "$bytes")" ] || fail "refills of $bytes are seen"
	[ "$(sum refill "$index")" -eq "$(counter area_bytes "$bytes")" ] || fail "their bytes are those of the areas"
	[ "$(hits steal "$index")" -eq "$(counter steals_total "$bytes")" ] || fail "steals of $bytes are seen"
done
[ "$(hits refill 8)" -gt 0 ] || fail "there were refills"
[ "$(hits steal 8)" -gt 0 ] || fail "there were steals: $(grep probe "$work/gdb"; grep 1048576 "$work/counted")"

# Given back and unmapped, with the worker.
printf 'thread 1048576 8\nnew 65536 3\nfree 65536 3\nawait retired 1048576\nwrite 3 %s\nend\n' "$work/counted" >"$work/input"
LGALLOC_CONF="area_max:2M,cache_bytes:0,interval:10ms,second_decay:10ms,retire_delay:10ms" \
	gdb -batch -nx -x "$work/script" "$holder" >"$work/gdb" 2>&1 || {
	# The worker may be at a probe while the process ends under gdb; what was counted until then is compared below.
	grep -q "Couldn't get registers: No such process" "$work/gdb" || fail "gdb ends well: $(tail -n 5 "$work/gdb")"
}
[ "$(sum reclaim 8)" -eq "$(counter reclaimed_total 1048576)" ] || fail "what was given back is seen"
[ "$(sum reclaim 8)" -eq 8 ] || fail "all eight regions were given back: $(sum reclaim 8)"
[ "$(hits retire 8)" -eq "$(counter retired_total 1048576)" ] || fail "areas unmapped are seen"
[ "$(hits retire 8)" -gt 0 ] || fail "areas were unmapped"
# A map four times as large as its pager's memory. The second argument of a write is its bytes.
printf 'map 1048576 4194304 %s\nwrite 3 %s\nend\n' "$work/mapped" "$work/counted" >"$work/input"
LGALLOC_CONF="background:off" gdb -batch -nx -x "$work/script" "$holder" >"$work/gdb" 2>&1 ||
	fail "gdb ends well: $(tail -n 5 "$work/gdb")"
of_pager()
{
	sed -n "s/^lgalloc_pager_$1{pager=\"1\"} //p" "$work/counted"
}
[ "$(of_pager faults_total)" -ge 1024 ] || fail "there were faults"
[ "$(awk '$2 == "fault"' "$work/gdb" | grep -c '^probe')" -eq "$(of_pager faults_total)" ] || fail "faults are seen"
[ "$(awk '$1 == "probe" && $2 == "write" { n += $4 } END { printf "%d", n }' "$work/gdb")" -eq \
	"$(of_pager written_bytes_total)" ] || fail "bytes written are seen"
[ "$(grep -c '^probe evict' "$work/gdb")" -gt 0 ] || fail "evictions are seen"

# Without read ahead all that comes in is filled: it was read, or began as zeros. The second argument is its bytes.
bytes=1048576 page=4096 no_data=61
printf 'lose %d %s\nwrite 3 %s\nend\n' "$bytes" "$work/lost" "$work/counted" >"$work/input"
LGALLOC_CONF="background:off" gdb -batch -nx -x "$work/script" "$holder" >"$work/gdb" 2>&1 ||
	fail "gdb ends well: $(tail -n 5 "$work/gdb")"
[ "$(of_pager zero_fills_total)" -gt 0 ] || fail "pages began as zeros"
[ "$(of_pager read_bytes_total)" -ge $((bytes / 2)) ] || fail "half of the pages were read again"
[ "$(awk '$1 == "probe" && $2 == "fill" { n += $4 } END { printf "%d", n }' "$work/gdb")" -eq \
	$(($(of_pager zero_fills_total) * page + $(of_pager read_bytes_total))) ] || fail "bytes filled are seen"
# The map begins where the first page came in, and what is poisoned is behind the half of it.
first=$(awk '$1 == "probe" && $2 == "fill" { print $3; exit }' "$work/gdb")
[ "$(of_pager poisoned_total)" -eq 3 ] || fail "three pages are poisoned: $(of_pager poisoned_total)"
for number in 0 1 2; do
	printf 'probe poison %d %d\n' $((first + bytes / 2 + number * page)) "$no_data"
done >"$work/poisoned"
grep '^probe poison' "$work/gdb" | cmp -s - "$work/poisoned" ||
	fail "each is seen with its address and why: $(grep '^probe poison' "$work/gdb")"
printf '%s\n' "$(grep -c '^probe' "$work/gdb") hits in the last run"
