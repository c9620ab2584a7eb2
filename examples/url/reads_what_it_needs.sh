#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: parts of an object and lines found in it are those of the file behind it, and no more is fetched than they need.
# with_servers.sh reads_what_it_needs.sh PARTS SEARCH
if [ "$1" = make ]; then
	head -c "$3" /dev/urandom >"$2"
	exit
fi
. "$(dirname "$0")/../workplace.sh"
parts=$1 search=$2

# cost_is_at_most BYTES, of the command that wrote $place/err
cost_is_at_most() {
	local fetched
	fetched=$(sed -n 's/^fetched \([0-9]*\) of .*/\1/p' "$place/err")
	[ -n "$fetched" ] && [ "$fetched" -le "$1" ] || fail "at most $1 bytes are fetched: $(cat "$place/err")"
	tail -n 1 "$place/err"
}

# finds STATUS EXPECTED ARGUMENT...: prints what the file has, and nothing where that is empty.
finds() {
	local status=$1 expected=$2 got=0
	shift 2
	"$search" --cost "$@" >"$place/out" 2>"$place/err" || got=$?
	[ "$got" = "$status" ] || fail "status $got of: $* ($(cat "$place/err"))"
	cmp -s "$place/out" "$expected" || fail "other lines of: $*"
}

# The demonstration of mmapurl: all of it from memory to standard output.
"$parts" "$PLAIN/big" | cmp - "$WWW/big" || fail "the whole object"
"$parts" --cost "$PLAIN/big" 32M+100 0+10 67108860+100 99M+1 >"$place/out" 2>"$place/err"
{
	dd if="$WWW/big" bs=100 count=1 iflag=skip_bytes skip=$((32 << 20)) status=none
	head -c 10 "$WWW/big"
	tail -c 4 "$WWW/big"
} >"$place/expected"
cmp "$place/out" "$place/expected" || fail "parts"
cost_is_at_most $((3 << 18))
[ "$("$parts" --hash "$PLAIN/one" 0+0)" = "cbf29ce484222325 0+0" ] || fail "the hash of nothing"
printf 'foobar' >"$WWW/known"
[ "$("$parts" --hash "$PLAIN/known")" = "85944171f73967e8 0+6" ] || fail "the hash of a known text"

# 42 MB of lines in order; the last one has no end.
seq -f 'key%07.0f is a line among a million' 0 999999 | head -c -1 >"$WWW/lines"
big=$(stat -c %s "$WWW/lines")
for key in key0000000 key0123456 key099999 key0999999; do
	grep "^$key" "$WWW/lines" >"$place/expected"
	finds 0 "$place/expected" --sorted $key "$PLAIN/lines"
	cost_is_at_most $((big / 8))
done
grep '^key01' "$WWW/lines" >"$place/expected" # a tenth of all
finds 0 "$place/expected" --sorted key01 "$PLAIN/lines"
: >"$place/nothing"
for key in a key0123456x keyx z; do
	finds 1 "$place/nothing" --sorted $key "$PLAIN/lines"
done
grep -E '^key.*(3|7)9{3} is' "$WWW/lines" >"$place/expected"
finds 0 "$place/expected" '^key.*(3|7)9{3} is' "$PLAIN/lines"
finds 0 "$place/expected" --memory=8M '^key.*(3|7)9{3} is' "$PLAIN/lines"
grep -F '9999 is' "$WWW/lines" >"$place/expected"
finds 0 "$place/expected" -F '9999 is' "$PLAIN/lines"
finds 1 "$place/nothing" -F 'not there' "$PLAIN/lines"
finds 1 "$place/nothing" x "$PLAIN/empty"
printf 'only' >"$WWW/only"
printf 'only\n' >"$place/expected"
finds 0 "$place/expected" only "$PLAIN/only"
finds 0 "$place/expected" --sorted o "$PLAIN/only"

refused 'it is not there: 404' "$search" x "$PLAIN/missing"
refused "pattern '['" "$search" '[' "$PLAIN/lines"
refused 'a URL begins with' "$parts" file:///etc/passwd
refused 'is not OFFSET+LENGTH' "$parts" "$PLAIN/one" 12

# The object goes while it is read: said, not a SIGBUS.
python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], sys.argv[2].encode())' \
	"$FAULTY/__faults" '[{},{"status":404,"always":true}]'
refused 'cannot be read: ' "$search" nothing "$FAULTY/lines"
