#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: a database in memory, larger than the memory there is, is whole: its pages go to the regions' file.
# Oracle: the answers of SQLite's own page cache with all the memory it wants; with as little it is killed.
. "$(dirname "$0")/../workplace.sh"
. "$(dirname "$0")/../memory_group.sh"
program=$1
memory_mib=16
# A journal of a database in memory would be in memory as well, but not in regions.
load=(--rows=60K --steps=fill,index,find,delete,all --pragma 'PRAGMA journal_mode=off' :memory:)
cd "$place"
has_room 256

"$program" --cache=default "${load[@]}" >wanted || fail "with all memory"
make_group "$memory_mib" || skip "no memory control group may be made here"
LGALLOC_CONF="backing:file,dir:$place" run_limited "$program" --check "${load[@]}" >got ||
	fail "in $memory_mib MiB: status $?"
cat got
[ "$(grep ^answers got)" = "$(grep ^answers wanted)" ] || fail "other answers than with all memory"
echo "at most $(group_peak_mib) MiB in use; SQLite's own cache wants $(awk '/^resident/ { print $6 }' wanted) MiB"
if has_swap; then
	echo "there is swap here: SQLite's own cache was not tried"
else
	status=0
	run_limited "$program" --cache=default "${load[@]}" >default 2>&1 || status=$?
	[ "$status" = 137 ] || fail "SQLite's own cache in $memory_mib MiB: status $status, not 137 (killed)"
	echo "SQLite's own cache in $memory_mib MiB: killed"
fi
