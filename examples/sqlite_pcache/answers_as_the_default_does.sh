#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: with the page cache in regions every query is answered, and every database left, as with SQLite's own:
# page sizes, caches far too small and large enough, journals, in memory, several connections at once.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"

# answers FILE: the line that says what all queries returned.
answers() { grep '^answers' "$1" || fail "no answers"; }

# same NAME ARGUMENT...: both caches, and both backings.
same() {
	local name=$1 wanted
	shift
	"$program" --cache=default --check "$@" wanted.db >wanted.out || fail "$name, default"
	wanted=$(answers wanted.out)
	for backing in anon file; do
		LGALLOC_CONF="backing:$backing,dir:$place" "$program" --check "$@" "$backing.db" >got.out ||
			fail "$name, $backing"
		[ "$(answers got.out)" = "$wanted" ] || fail "$name, $backing: $(answers got.out), not $wanted"
		if command -v sqlite3 >/dev/null; then
			for number in '' .1 .2; do
				[ ! -e "wanted.db$number" ] ||
					sqlite3 "wanted.db$number" .dump | cmp - <(sqlite3 "$backing.db$number" .dump) ||
					fail "$name, $backing: the databases differ"
			done
		fi
	done
	echo "$name: $wanted"
	rm -f ./*.db*
}

same 'pages of 512, cache of 20' -n 3K --pragma 'PRAGMA page_size=512; PRAGMA cache_size=20; PRAGMA synchronous=off'
same 'pages of 4096, cache of 10, write-ahead log' -n 6K \
	--pragma 'PRAGMA cache_size=10; PRAGMA journal_mode=wal; PRAGMA synchronous=off'
same 'pages of 65536, large cache' -n 6K --cache-size=64M \
	--pragma 'PRAGMA page_size=65536; PRAGMA synchronous=off'
same 'temporary tables in memory' -n 6K --pragma 'PRAGMA temp_store=memory; PRAGMA synchronous=off'
same 'three connections' -n 4K --threads=3 --seed=5 --pragma 'PRAGMA synchronous=off'
command -v sqlite3 >/dev/null || echo "sqlite3 is not installed: the databases' contents were compared by their answers alone"

"$program" --cache=default -n 10K :memory: >wanted.out
for backing in anon file; do
	LGALLOC_CONF="backing:$backing,dir:$place" "$program" -n 10K --check :memory: >got.out
	[ "$(answers got.out)" = "$(answers wanted.out)" ] || fail "in memory, $backing"
done
echo "in memory: $(answers wanted.out)"
"$program" -n 100 -t 2 :memory: >/dev/null || fail "two connections in memory"

refused 'no step begins at "sorts' "$program" --steps=fill,sorts x.db
refused 'neither default nor regions' "$program" --cache=lru x.db
refused 'unable to open database file' "$program" "$place/none/x.db"
refused 'no such index' "$program" -n 100 --steps=fill,range x.db
LGALLOC_CONF=dir:/nonexistent refused 'out of memory' "$program" -n 100 y.db
