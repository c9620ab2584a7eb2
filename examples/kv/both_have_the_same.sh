#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: a heap and LMDB have the same in them after the same work, whatever is committed at once; nothing is left behind.
. "$(dirname "$0")/../workplace.sh"
program=$1
has_room 500
mkdir "$place/in"

for every in 1 50 100000; do
	[ "$every" = 1 ] && operations=60 || operations=5000
	"$program" --rounds=1 --operations=$operations --keys=700 --commit=$every "$place/in" >"$place/out"
	[ "$(grep -cE '^(heap|lmdb) ' "$place/out")" = 2 ] || fail "no figures of both: $(cat "$place/out")"
done
cat "$place/out"
[ -z "$(ls "$place/in")" ] || fail "files were left"
touch "$place/in/kv_compare.heap"
refused 'kv_compare.heap is there already' "$program" "$place/in"
refused '--commit: 0 is no number' "$program" --commit=0 "$place/in"
refused 'Usage' "$program"
