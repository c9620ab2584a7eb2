#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: rows of a real SQLite file are what sqlite3 says they are: all types, integers of every width,
# overflow pages, gaps of deleted rows, negative rowids, every kind of page size.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"
command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"

make_database() {
	sqlite3 "$1" <<-END >/dev/null
		PRAGMA page_size=$2;
		.filectrl reserve_bytes $4
		CREATE TABLE other(x);
		CREATE TABLE "Mixed rows"(id INTEGER PRIMARY KEY, small, large, share REAL, name TEXT, data BLOB, anything);
		BEGIN;
		WITH RECURSIVE n(i) AS (SELECT -500 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
		INSERT INTO "Mixed rows" SELECT i, i % 3, i * i * i * 977 - 5, i / 8.0 + 0.0625,
			'name ''' || i || ''' — ü' || CASE WHEN i % 50 = 0 THEN printf('%.*c', i % 9000, 'x') ELSE '' END,
			CASE WHEN i % 97 = 0 THEN randomblob(i % 70000) ELSE randomblob(abs(i) % 40) END,
			CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN 'text' WHEN 3 THEN x'00ff' WHEN 4 THEN 1e300
			ELSE -9223372036854775807 END
		FROM n;
		INSERT INTO "Mixed rows" VALUES(9223372036854775807, 127, -128, 1.5, '', x'', 32768),
			(-9223372036854775808, 8388607, -8388609, -0.5, 'least', NULL, 140737488355327);
		DELETE FROM "Mixed rows" WHERE id BETWEEN 3000 AND 5000 OR id % 31 = 0;
		COMMIT;
	END
}

query='id, NULL, quote(small), quote(large), quote(share), quote(name), quote(data), quote(anything)'

# check NAME FILE COUNT: as many rowids as there are, of the whole range, gaps included.
check() {
	# A fixed random source: the same rowids every time.
	shuf -i 0-"$3" -n 6000 --random-source=<(yes) | awk '{ print $1 - 500 }' >ids
	printf '%s\n' 9223372036854775807 -9223372036854775808 0 -1 >>ids
	{
		echo '.separator ,'
		echo '.nullvalue NULL'
		awk -v q="$query" '{ printf "SELECT %s FROM \"Mixed rows\" WHERE id = %s;\n", q, $1 }' ids
	} | sqlite3 "$2" >wanted
	[ "$(wc -l <wanted)" -gt 1000 ] || fail "$1: the query found too little to say anything"
	for threads in 1 4; do
		for memory in 2M 64M; do
			"$program" --get -t "$threads" -m "$memory" "$2" 'mixed ROWS' <ids >got 2>missing || true
			cmp wanted got || fail "$1, $threads threads, $memory"
			[ "$(($(wc -l <got) + $(wc -l <missing)))" = "$(wc -l <ids)" ] || fail "$1: rows unaccounted for"
		done
	done
	echo "$1: $(wc -l <got) rows as sqlite3 has them, $(wc -l <missing) not there, as in sqlite3"
	"$program" -t 2 -m 4M -n 50K "$2" 'Mixed rows' >/dev/null || fail "$1: random reads"
}

for page_bytes in 512 1024 4096 65536; do
	make_database "p$page_bytes" "$page_bytes" 20000 0
	check "pages of $page_bytes" "p$page_bytes" 20000
	rm "p$page_bytes"
done
make_database reserving 1024 20000 24
[ "$(od -An -t u1 -j20 -N1 reserving | tr -d ' ')" = 24 ] || fail "sqlite3 reserved no bytes"
check "24 bytes of each page reserved" reserving 20000
make_database large 4096 200000 0
check "200 000 rows" large 200000
# Without the two outermost rowids, between which reads at random would find nothing.
sqlite3 large 'DELETE FROM "Mixed rows" WHERE abs(id / 2) > 1000000'
"$program" -t 2 -m 16M -n 200K large 'Mixed rows' | tee out
grep -q '^[1-9][0-9]\{4,\} rows found' out || fail "reads at random found too few rows"
sqlite3 large "CREATE TABLE \"t\"\"2\"(a, b); INSERT INTO \"t\"\"2\" VALUES('only', 1);"
[ "$("$program" --get large 't"2' 1)" = "1,'only',1" ] || fail "a name with a quote in it"
