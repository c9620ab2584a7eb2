#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: a generated table is read right by threads that fight over few frames.
# Oracle: each row is known from its rowid; where sqlite3 is installed, it also judges the file.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"

for rows in 1 2 60 20000 300000; do
	rm -f table.sqlite
	"$program" --generate="$rows" table.sqlite numbers
	for memory in 2M 5M 256M; do
		"$program" -m "$memory" -t 4 -n 100K --check table.sqlite numbers >out ||
			fail "$rows rows, $memory"
		grep -q '^102400 rows found and as generated' out || fail "$rows rows, $memory: not all found"
	done
	"$program" --get -t 3 table.sqlite numbers 1 "$rows" | wc -l | grep -qx '2' || fail "first and last of $rows"
	if command -v sqlite3 >/dev/null; then
		[ "$(sqlite3 table.sqlite 'pragma integrity_check')" = ok ] || fail "$rows rows: integrity_check"
		[ "$(sqlite3 table.sqlite 'select count(*), min(id), max(id) from numbers')" = "$rows|1|$rows" ] ||
			fail "$rows rows: not these rowids"
	fi
done
command -v sqlite3 >/dev/null || echo "sqlite3 is not installed: its judgement is missing"
# More pages than frames: the clock must have turned.
"$program" -m 2M -t 2 -n 100K --check table.sqlite numbers | tee out
grep -q ', 0 evicted' out && fail "nothing was evicted"
if "$program" --direct -m 2M -t 2 -n 20K --check table.sqlite numbers >out 2>&1; then
	cat out
else
	# A file system without O_DIRECT refuses at open; anything else is a failure.
	grep -q 'past the page cache: Invalid argument' out || fail "--direct: $(cat out)"
	echo "O_DIRECT is not supported here"
fi
