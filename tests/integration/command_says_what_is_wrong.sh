#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# command_says_what_is_wrong.sh LGALLOC: wrong usage is status 2 and one line that names it, a failure
# status 1 and one line; help and version go to stdout.
set -euo pipefail
unset LGALLOC_CONF LD_PRELOAD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Copies, in places of our choice: what can be preloaded depends on the path.
mkdir "$work/plain" "$work/a space"
cp "$1" "${1%/*}/liblgalloc-preload.so" "$work/plain"
cp "$1" "${1%/*}/liblgalloc-preload.so" "$work/a space"
lgalloc=$work/plain/lgalloc

# expect STATUS WORDS ARGUMENT...: the status, and stderr with these words on its first line; a failure is one
# line, and nothing on stdout.
expect() {
	local status=$1 words=$2 got=0
	shift 2
	"$lgalloc" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
	if [ "$got" -ne "$status" ] || ! head -n 1 "$work/err" | grep -qF -- "$words" ||
		{ [ "$status" -eq 1 ] && { [ "$(wc -l <"$work/err")" -ne 1 ] || [ -s "$work/out" ]; }; }; then
		printf 'lgalloc %s: status %s, not %s; %s\n' "$*" "$got" "$status" "$(cat "$work/err")"
		failed=1
	fi
}

# prints WORDS ARGUMENT...: status 0, nothing on stderr, these words on stdout.
prints() {
	local words=$1 got=0
	shift
	"$lgalloc" "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" -ne 0 ] || [ -s "$work/err" ] || ! grep -qF -- "$words" "$work/out"; then
		printf 'lgalloc %s: status %s, stdout without "%s"; %s\n' "$*" "$got" "$words" "$(cat "$work/err")"
		failed=1
	fi
}

prints "usage: lgalloc" --help
prints "usage: lgalloc" help
prints "lgalloc 0." --version
prints "cache_bytes" options
prints "min_size" options
prints "min_size" options process
prints "read ahead of streams" options pager
prints "lazy or on" options map
prints "PID NAME" top --list
for command in run top trace heap cat options; do
	prints "Usage: lgalloc $command" "$command" --help
	prints "Usage: lgalloc $command" help "$command"
done
expect 2 "usage: lgalloc"
expect 2 "'nonsense' is no command" nonsense
expect 2 "which program" run
expect 2 "option 'bad' is unknown" run -o bad:1 true
expect 2 "nonsense" run --nonsense true
expect 2 "'fil' is not file, anon or paged" run -o backing:fil true
expect 2 "paged_page: '12K' is not a power of two from 4K to 2M" run -o paged_page:12K true
expect 2 "paged_policy: 'lru' is not clock, s3fifo, fifo, lifo, plru, prnd, wiro_f or wiro_l" run -o paged_policy:lru true
expect 2 "min_size: '1' is not" run -m 1 true
expect 2 "nonsense" options --nonsense
expect 2 "there is no list 'maps'" options maps
expect 2 "one list at a time" options map pager
expect 2 "which URL" cat
expect 2 "one URL at a time" cat http://a/ http://b/
expect 2 "range '5-4' is not" cat --range=5-4 http://127.0.0.1:1/
expect 2 "range 'x' is not" cat --range=x http://127.0.0.1:1/
expect 1 "'$work/none' cannot be started: No such file" run "$work/none"
expect 1 "Permission denied" run "$work"

# Memory that can spill nowhere has no bound: the program is not started. Nor where the limits of the process
# leave no room for a region.
touch "$work/file"
# A sanitized shim cannot be preloaded into programs that are not: none is started then.
sanitized=$(ldd "$lgalloc" | grep -cE 'lib[atu]b?san' || true)
limit() { # limit WHAT VALUE: the command under ulimit
	printf '#!/bin/sh\nulimit %s %s || exit 77\nexec %q "$@"\n' "$1" "$2" "$work/plain/lgalloc" >"$work/limited"
	chmod +x "$work/limited"
}
starts_within_limits() { # starts_within_limits OPTIONS
	local paged=$1
	limit -f 1024
	lgalloc=$work/limited expect 1 "larger than the file system or ulimit -f allows" run -o "$paged,dir:/var/tmp" true
	limit -v 800000
	lgalloc=$work/limited expect 1 "a region of 33554432 bytes was asked for" run -o "$paged,dir:/var/tmp" true
	limit -d 50000
	lgalloc=$work/limited expect 1 "(ulimit -d) is set" run -o "$paged,dir:/var/tmp" true
	limit -n 5
	lgalloc=$work/limited expect 1 "see ulimit -n (EMFILE)" run -o "$paged,dir:/var/tmp" true
	prints "started" run -o "$paged,dir:/var/tmp" echo started
	# Also where children are ignored; and what is tried leaves none of the files that are the program's.
	LGALLOC_PAGER_TRACE=$work/trace prints "started" run -o "$paged,dir:/var/tmp,metrics_file:$work/m.prom" \
		sh -c 'trap "" CHLD; exec "$@"' sh "$lgalloc" run echo started
	if [ -e "$work/trace" ] || [ -e "$work/m.prom" ]; then
		echo "the region that was tried left a trace or metrics"
		failed=1
	fi
}
for faults in threads inline; do
	paged=backing:paged,faults:$faults
	if [ "$sanitized" -eq 0 ]; then
		"$lgalloc" run -o "$paged,dir:/var/tmp" true 2>"$work/err" ||
			{ printf 'left out: %s: %s\n' "$paged" "$(cat "$work/err")"; continue; }
		starts_within_limits "$paged"
	fi
	expect 1 "backing:paged: no backing file could be made in dir '$work/none'" run -o "$paged,dir:$work/none" true
	expect 1 "not a directory (ENOTDIR)" run -o "$paged,dir:$work/file" true
	expect 1 "no backing file could be made in dir '/proc'" run -o "$paged,dir:/proc" true
	TMPDIR=$work/none expect 1 "in dir '$work/none'" run -o "$paged" true
	LGALLOC_CONF=$paged,dir:$work/none expect 1 "in dir '$work/none'" run true
	if [ "$(stat -f -c %T /dev/shm 2>&1)" = tmpfs ]; then
		expect 1 "dir '/dev/shm' is in memory itself" run -o "$paged,dir:/dev/shm" true
	fi
done

# A static program is started, and its memory is its own.
for kind in -static -static-pie; do
	if printf 'int main(void){return 0;}' | "${CC:-cc}" $kind -x c -o "$work/fixed" - 2>"$work/err"; then
		expect 0 "'$work/fixed' is linked statically" run "$work/fixed"
		PATH=$work/none::$work:$PATH expect 0 "'fixed' is linked statically" run fixed
		[ "$sanitized" -ne 0 ] || prints "fine" run sh -c 'echo fine'
	else
		echo "left out: $kind: $(head -n 1 "$work/err")"
	fi
done

lgalloc="$work/a space/lgalloc" expect 1 "the dynamic linker takes the space" run true
LGALLOC_CONF=nonsense:1 expect 2 "option 'nonsense' is unknown" run true
expect 2 "'nonsense' is no command" help nonsense
expect 2 "one command at a time, not 'top'" help run top

expect 2 "which process or metrics file" top
expect 2 "nonsense" top --nonsense
expect 2 "one process or file at a time, not 'b'" top a b
expect 2 "--delay: '0' is not" top -d 0 a
expect 2 "--delay: '1s' is not" top -d 1s a
expect 2 "--delay: 'nan' is not" top --delay=nan a
expect 2 "--delay: '' is not" top --delay= a
expect 2 "--count: '0' is not" top -n 0 a
expect 2 "--count: '-1' is not" top --count=-1 a
expect 2 "--count: '99999999999999999999' is not" top -n 99999999999999999999 a
expect 2 "--sort: 'colour' is none of size, in-use" top -s colour a
expect 2 "'0' is no process id" top 0
expect 2 "'99999999999' is no process id; a file of that name is ./99999999999" top 99999999999
expect 1 "there is no process 999999999" top 999999999
expect 1 "(bash) was started without metrics_file in LGALLOC_CONF" top $$
expect 1 "'$work/none': No such file or directory" top "$work/none"
expect 1 "'': No such file" top ""
expect 1 "'$work': no metrics of lgalloc: no regular file" top "$work"
expect 1 "no metrics of lgalloc: no regular file" top /dev/zero

expect 2 "record, info or replay?" trace
expect 2 "'nonsense' is none of record, info and replay" trace nonsense
expect 2 "nonsense" trace --nonsense
expect 2 "which program?" trace record
expect 2 "the name of a file is empty" trace record -o "" true
expect 1 "'$work/none' cannot be started: No such file" trace record "$work/none"
expect 1 "the path is too long" trace record -o "$(printf '%05000d' 0)" true
expect 2 "which trace?" trace info
expect 2 "one trace at a time, not 'b' as well" trace info a b
expect 1 "trace info: '$work/none': No such file or directory" trace info "$work/none"
expect 1 "'$work': no fault trace of lgalloc: no regular file" trace info "$work"
expect 1 "'/dev/zero': no fault trace of lgalloc: no regular file" trace replay /dev/zero
expect 2 "which trace?" trace replay
expect 2 "one trace at a time, not 'b' as well" trace replay a b
expect 2 "--policy: 'nonsense' is none of clock, s3fifo, fifo" trace replay -p clock,nonsense a
expect 2 "--policy: '' is none of clock" trace replay --policy= a
expect 2 "--map: '-1' is not a number of a map" trace replay --map=-1 a
expect 2 "--map: '4294967296' is not a number of a map" trace replay --map 4294967296 a
expect 2 "--budget or --ratio, not both" trace replay -b 1M --ratio 10 a
for action in record info replay; do
	prints "Usage: lgalloc trace $action" trace "$action" --help
done
printf 'dear diary' >"$work/text"
expect 1 "'$work/text': no fault trace of lgalloc: it does not begin as one" trace info "$work/text"
expect 1 "'$work/text': no fault trace of lgalloc: it does not begin as one" trace replay "$work/text"

expect 2 "info, check, dump or snapshot?" heap
expect 2 "'nonsense' is none of info, check, dump and snapshot" heap nonsense
expect 2 "nonsense" heap --nonsense
for action in info check dump; do
	prints "Usage: lgalloc heap $action" heap "$action" --help
	expect 2 "which heap?" heap "$action"
	expect 2 "one heap at a time, not 'b' as well" heap "$action" a b
	expect 2 "--nonsense" heap "$action" --nonsense a
	expect 1 "$work/none: it cannot be opened: no such file" heap "$action" "$work/none"
	expect 1 "$work: it cannot be opened: it is no regular file" heap "$action" "$work"
	expect 1 "/dev/zero: it cannot be opened: it is no regular file" heap "$action" /dev/zero
	expect 1 "$work/text: it is no heap" heap "$action" "$work/text"
	expect 1 "it cannot be opened: no such file" heap "$action" ""
	expect 1 "?[2J: it cannot be opened" heap "$action" "$work/"$'\033'"[2J"
done
expect 2 "--repair" heap info --repair a
expect 2 "--csv" heap check --csv a
prints "Usage: lgalloc heap snapshot" heap snapshot --help
expect 2 "which heap, and into which new file?" heap snapshot
expect 2 "which heap, and into which new file?" heap snapshot a
expect 2 "a heap and the new file, not 'c' as well" heap snapshot a b c
expect 1 "$work/none: it cannot be opened: no such file" heap snapshot "$work/none" "$work/copy"
expect 1 "$work/text: it is no heap" heap snapshot "$work/text" "$work/copy"
head -c 300000 /dev/urandom >"$work/garbage"
expect 1 "$work/garbage: it is no heap" heap info "$work/garbage"
expect 1 "$work/garbage: it is no heap" heap check --repair "$work/garbage"
if [ -e "$work/copy" ]; then
	echo "a refused snapshot left a file"
	failed=1
fi

# Files that are none, and half of one that is: for --once, for tables.
whole=$'# TYPE lgalloc_threads gauge\nlgalloc_threads 3\nlgalloc_regions{class="4096",state="in_use"} 7\n# EOF\n'
file=$work/file.prom
printf '%s' "$whole" >"$file"
prints "4K       7" top --once "$file"
prints "3 threads" top --once "$file"
prints "4K       7" top -d 0.1 -n 1 "$file"
expect_file() {
	printf '%b' "$2" >"$file"
	expect 1 "'$file': no metrics of lgalloc: $1" top --once "$file"
	expect 1 "'$file': no metrics of lgalloc: $1" top -d 0.1 -n 1 "$file"
}
expect_file "line 0: the end of the file" ""
expect_file "line 1: no name of a metric" '\0177ELF\02\01\01\n'
expect_file "line 1: a zero byte" 'a\0b 1\n'
expect_file "line 1: no name of a metric" '\033]0;title\007\n'
expect_file "line 1: no name of a metric" '{"threads": 3}\n'
expect_file "line 2: the end of the file within a line" 'lgalloc_threads 3\n# EO'
expect_file "line 1: a value that is no number" 'lgalloc_threads three\n# EOF\n'
expect_file "line 1: a count that is no whole number" 'lgalloc_threads -3\n# EOF\n'
expect_file "line 1: a class that is no size" 'lgalloc_areas{class="big"} 3\n# EOF\n'
expect_file "no line of it begins with lgalloc_" 'up 1\n# EOF\n'
head -c 300 /dev/urandom >"$file"
expect 1 "'$file': no metrics of lgalloc: " top --once "$file"
truncate -s 100M "$file"
expect 1 "'$file': no metrics of lgalloc: far too large" top --once "$file"
printf '%s' "$whole" >"$file"
"$lgalloc" top --once "$file" >/dev/full 2>"$work/err" && failed=1
grep -qF "standard output: No space left on device" "$work/err" || { cat "$work/err"; failed=1; }
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 "$file"
	expect 1 "'$file': Permission denied" top --once "$file"
	expect 1 "name its metrics file instead" top 1
fi

# What would drive a terminal does not reach it.
expect 1 "'$work/?[2J': No such file" top "$work/"$'\033'"[2J"

# The benchmarks, as far as they are there; a copy of the command has none beside it.
if [ -x "${1%/*}/bench/lgalloc-bench" ]; then
	lgalloc=$1
	prints "Usage: lgalloc bench" bench --help
	prints "Usage: lgalloc bench" help bench
	expect 2 "nonsense: there is no such row" bench nonsense
	expect 2 "nonsense: there is no such row" bench --only pair,nonsense
	expect 2 "--nonsense" bench --nonsense
fi
mkdir "$work/bin"
cp "$1" "$work/bin/lgalloc"
lgalloc=$work/bin/lgalloc
expect 1 "the benchmarks are not installed: lgalloc-bench is neither" bench
expect 1 "the benchmarks are not installed" bench --list
expect 1 "liblgalloc-preload.so is neither" run true
exit "$failed"
