#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: every command does what its help says, each in a process of its own; what is wrong is a line and a status.
. "$(dirname "$0")/../workplace.sh"
program=$1
store=$place/store.heap

kv() { "$program" "$store" "$@"; }

kv put b two
kv put a one
kv put 'a key with blanks, longer than eight bytes' 'and a value'
kv put '' empty
[ "$(kv get a)" = one ] || fail "get"
[ "$(kv get '')" = empty ] || fail "an empty key"
kv put a uno
[ "$(kv get a)" = uno ] || fail "a second put"
printf '\tempty\na\tuno\na key with blanks, longer than eight bytes\tand a value\nb\ttwo\n' >"$place/expected"
kv scan | diff "$place/expected" - || fail "scan"
kv scan aa | diff <(tail -n 1 "$place/expected") - || fail "scan from a key that is not there"
kv scan b | diff <(tail -n 1 "$place/expected") - || fail "scan from one that is"
kv delete a
kv get a && fail "a deleted key is there"
kv delete a && fail "deleted twice"
[ "$(kv scan | wc -l)" = 3 ] || fail "delete"

# Thousands, through all shapes of the tree.
for keys in 1 3 40 2000; do
	for every in 1 500 100000; do
		[ "$every" = 1 ] && operations=60 || operations=8000
		"$program" --keys=$keys --seed=$every --commit=$every "$place/work.heap" work $operations >"$place/out"
		[ "$(tail -n 1 "$place/out")" = $operations ] || fail "work"
		"$program" "$place/work.heap" verify >"$place/out" || fail "verify, $keys keys, commits of $every"
		rm "$place/work.heap"
	done
done
cat "$place/out"

# The verifier finds what is wrong.
"$program" --keys=100 "$place/work.heap" work 1000 >"$place/out"
"$program" "$place/work.heap" put key00000001 another
refused 'key 1 has another value' "$program" "$place/work.heap" verify
"$program" "$place/work.heap" delete key00000001
refused 'key 1 is lost' "$program" "$place/work.heap" verify
rm "$place/work.heap"
"$program" --keys=100 "$place/work.heap" work 1000 >"$place/out"
"$program" "$place/work.heap" put key00000100 more
refused 'and later ones: the scan goes on' "$program" "$place/work.heap" verify

refused 'no such command' kv
refused 'no such command' kv nonsense
refused 'no such command' kv put a
refused 'Usage' "$program"
refused '--commit: 0 is no number' "$program" --commit=0 "$store" scan
refused 'open: nowhere/store: no file can be made there' "$program" nowhere/store scan
echo 'dear diary' >"$place/text"
refused 'text: it is no heap' "$program" "$place/text" scan
[ "$(cat "$place/text")" = 'dear diary' ] || fail "what is no heap was written to"
full() { "$@" >/dev/full; }
refused 'standard output: No space left on device' full "$program" "$store" scan
