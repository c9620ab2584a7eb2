#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: killed at any moment, a run goes on from the last checkpoint that it told of, or the one that was under way, and ends
# with what a run has that nobody killed. Oracle: that one's file, byte by byte, and what `checkpoint` said before it died.
. "$(dirname "$0")/../workplace.sh"
program=$1
rounds=${2:-20}
mib=4 every=2
has_room 100

RANDOM=7
done=0
mkfifo "$place/said"
for ((round = 0; round < rounds; round++)); do
	lines=$((RANDOM % 8))
	"$program" "$place/killed" $mib 100000000 $every >"$place/said" &
	pid=$!
	exec 3<"$place/said"
	# It dies right behind so many checkpoints, or somewhere later; what it said meanwhile counts.
	: >"$place/lines"
	while ((lines-- > 0)) && read -r line <&3; do
		echo "$line" >>"$place/lines"
	done
	((round % 2 == 0)) || sleep "0.0$((RANDOM % 10))"
	kill -9 "$pid"
	while read -r line <&3; do
		echo "$line" >>"$place/lines"
	done
	exec 3<&-
	wait "$pid" 2>/dev/null && fail "it ended by itself"
	[ -s "$place/lines" ] || continue
	first=$(head -n 1 "$place/lines")
	if [ "$first" -lt "$done" ] || [ "$first" -gt $((done + 2 * every)) ]; then
		fail "round $round: it had told of $done, and went on with $first"
	fi
	done=$(tail -n 1 "$place/lines")
	diff "$place/lines" <(seq "$first" $every "$done") || fail "round $round: other steps"
done
[ "$done" -gt 0 ] || fail "nothing was done"

steps=$((done + 2 * every + 1))
"$program" "$place/killed" $mib $steps $every >"$place/out"
"$program" "$place/whole" $mib $steps $every >"$place/out"
{ seq 0 $every $steps && echo $steps; } | diff - "$place/out" || fail "other checkpoints"
cmp "$place/whole" "$place/killed" || fail "killed $rounds times it computes something else"
[ "$(od -An -t d8 -v -j $((2 << 16)) "$place/whole" | tr -s ' ' '\n' | sort -u | wc -l)" -gt 4000 ] || fail "a rod without heat"
[ -z "$("$program" "$place/whole" $mib $steps $every)" ] || fail "done already, and done again"
echo "killed $rounds times: the same after $steps steps"

refused 'usage' "$program"
refused 'usage' "$program" "$place/whole" 3 1 1
refused 'another size' "$program" "$place/whole" 5 1 1
echo 'dear diary' >"$place/text"
refused 'another size' "$program" "$place/text" $mib 1 1
[ "$(cat "$place/text")" = 'dear diary' ] || fail "what is no rod was written to"
truncate -s "$(stat -c %s "$place/whole")" "$place/text"
refused 'something else in it' "$program" "$place/text" $mib 1 1
refused 'nowhere/rod: ' "$program" nowhere/rod $mib 1 1
