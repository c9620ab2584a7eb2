#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: inputs of every shape are sorted. Oracle: od(1) and sort(1), which know nothing of the program.
. "$(dirname "$0")/../workplace.sh"
program=$1

numbers() { od -An -v -t u8 -w8 "$1" | tr -d ' '; }

# repeat BYTES OCTAL: so many bytes of one value.
repeat() { head -c "$1" /dev/zero | tr '\0' "\\$2"; }

# check NAME: sorts $place/in with several memories and numbers of threads.
check() {
	numbers "$place/in" | sort -n >"$place/wanted"
	for memory in 8M 1G; do
		for threads in 1 2 5; do
			"$program" -m "$memory" -t "$threads" -o "dir:$place" "$place/in" "$place/out" ||
				fail "$1, $memory, $threads threads: status $?"
			numbers "$place/out" | cmp - "$place/wanted" || fail "$1, $memory, $threads threads"
		done
	done
	echo "$1: $(wc -l <"$place/wanted") keys"
}

for count in 0 1 2 3 32 33 513 65537 700000; do
	"$program" --generate="$count" --seed="$count" "$place/in"
	check "random"
done
repeat 8388608 000 >"$place/in"
check "all the least key"
repeat 8388608 377 >"$place/in"
check "all the greatest key"
{ repeat 4000000 377; repeat 4000000 000; repeat 4000000 377; } >"$place/in"
check "two keys, the greatest among them"
cp "$place/out" "$place/in"
check "sorted already"
# Bytes shifted by one: keys that differ in their most significant digit only, or not there at all.
"$program" --generate=100000 "$place/random"
od -An -v -t u1 -w1 -N 100000 "$place/random" |
	awk '{ printf "%c%c%c%c%c%c%c%c", 1, 1, 1, 1, 1, 1, 1, $1 % 127 + 1 }' >"$place/in"
check "one digit, the first"
od -An -v -t u1 -w1 -N 100000 "$place/random" |
	awk '{ printf "%c%c%c%c%c%c%c%c", $1 % 127 + 1, $1 % 3 + 1, 1, 1, 1, 1, 1, 1 }' >"$place/in"
check "two digits, the last"
