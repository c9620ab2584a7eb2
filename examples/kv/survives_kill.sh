#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: killed at any moment, the store is what the last commit left, or the one that was under way; and goes on from
# there. Oracle: `verify`, which does the operations again without a tree, and what `work` said before it died.
. "$(dirname "$0")/../workplace.sh"
program=$1
rounds=${2:-12}
store=$place/store.heap
has_room 300

RANDOM=7
done=0
mkfifo "$place/said"
for ((round = 0; round < rounds; round++)); do
	every=$((1 + RANDOM % 40 * (RANDOM % 5)))
	lines=$((1 + RANDOM % 60))
	"$program" --keys=3000 --commit=$every "$store" work 100000000 >"$place/said" &
	pid=$!
	exec 3<"$place/said"
	# It dies when it has said so many lines, wherever it is by then; what it said meanwhile counts.
	last=0
	while ((lines-- > 0)) && read -r line <&3; do
		last=$line
	done
	kill -9 "$pid"
	while read -r line <&3; do
		last=$line
	done
	exec 3<&-
	wait "$pid" 2>/dev/null && fail "it ended by itself"
	[ "$last" -gt "$done" ] || fail "it has not gone on from $done"
	done=$last
	"$program" "$store" verify >"$place/out" || fail "round $round: it is no state of the store"
	now=$(awk '{ print $1 }' "$place/out")
	if [ "$now" -lt "$done" ] || [ "$now" -gt $((done + every)) ]; then
		fail "round $round: $done operations were durable, $now are there, with a commit every $every"
	fi
	done=$now
done
echo "killed $rounds times: $(cat "$place/out")"
