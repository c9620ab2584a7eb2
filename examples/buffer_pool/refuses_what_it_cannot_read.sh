#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: what cannot be read right is refused with a reason; a damaged file is an error, never a crash.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"

"$program" --generate=3000 good t
refused 'no table nosuch' "$program" good nosuch
refused 'no row 3001' "$program" --get good t 3001
refused 'no row -1' "$program" --get good t -- -1
refused 'is no rowid' "$program" --get good t 12x
refused 'is no rowid' "$program" --get good t 9223372036854775808
refused 'missing: cannot open: No such file' "$program" missing t
refused 'good: cannot create: File exists' "$program" --generate=10 good t
refused 'Usage' "$program" good
head -c 50 good >short
refused 'is not a SQLite 3 database' "$program" short t
head -c 100000 /dev/zero >zeros
refused 'is not a SQLite 3 database' "$program" zeros t
head -c 4096 good >cut
refused "the table's root is not in the file" "$program" cut t
head -c 200000 good >cut
refused "the table's root is not in the file" "$program" cut t
full() { "$@" >/dev/full; }
refused 'standard output: cannot write: No space left on device' full "$program" --get good t 1 2 3

# Damage: bytes at fixed random places, also where it hurts most, in the first pages.
awk 'BEGIN { srand(4711); for (i = 0; i < 400; i++)
	print int(rand() * (i % 2 ? 600000 : 9000)) + (i % 4 ? 100 : 4096), int(rand() * 256) }' >places
crashed=0 noticed=0
while read -r offset byte; do
	cp good damaged
	for step in 0 1 2 3; do
		printf "\\$(printf %o "$((byte ^ step * 85))")" |
			dd of=damaged bs=1 seek=$((offset + step)) conv=notrunc status=none
	done
	status=0
	"$program" -t 2 -m 2M -n 2K --check damaged t >/dev/null 2>&1 || status=$?
	[ "$status" -le 1 ] || crashed=$((crashed + 1))
	[ "$status" = 0 ] || noticed=$((noticed + 1))
done <places
[ "$crashed" = 0 ] || fail "$crashed of 400 damaged files ended the program by a signal"
[ "$noticed" -gt 20 ] || fail "only $noticed of 400 damaged files were noticed"
echo "400 damaged files: $noticed noticed, no crash"

command -v sqlite3 >/dev/null || {
	echo "sqlite3 is not installed: views, virtual and WITHOUT ROWID tables, logs were not tried"
	exit 0
}
sqlite3 db "CREATE TABLE t(a); INSERT INTO t VALUES(1); CREATE TABLE w(k PRIMARY KEY) WITHOUT ROWID;
	INSERT INTO w VALUES(1); CREATE VIEW v AS SELECT 1; CREATE TABLE empty(a);"
refused 'WITHOUT ROWID' "$program" db w
refused 'is a view' "$program" db v
refused 'the table is empty' "$program" db empty
refused 'no row 1' "$program" --get db empty 1
sqlite3 wide "PRAGMA encoding='UTF-16'; CREATE TABLE t(a);"
refused 'UTF-16' "$program" wide t
# A log with content: a reader that went away without tidying up.
sqlite3 log "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1);" \
	".shell cp log log.kept; cp log-wal log.kept-wal" >/dev/null
refused 'has a journal or log' "$program" log.kept t
sqlite3 log.kept 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
[ "$("$program" --get log.kept t 1)" = '1,1' ] || fail "after the checkpoint"
# A writer at work: the copy of the lock that SQLite takes must keep us out.
sqlite3 db "BEGIN EXCLUSIVE;" ".shell '$program' --get db t 1 >locked 2>&1 || true" "ROLLBACK;"
grep -q 'is being written by another program' locked || fail "read under an exclusive lock: $(cat locked)"
