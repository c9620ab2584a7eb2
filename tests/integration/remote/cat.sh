#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# cat.sh LGALLOC, by with_servers.sh: `lgalloc cat` writes what the server has, whole and in ranges, and says what it cannot
# have. MAKER is the program that makes the objects.
set -eu

if [ "$1" = make ]; then
	exec "$MAKER" "$@"
fi
lgalloc=$1
failed=0

# writes OFFSET COUNT FILE ARGUMENT...: these bytes of the file, and nothing on stderr.
writes() {
	local offset=$1 count=$2 file=$WWW/$3
	shift 3
	"$lgalloc" cat "$@" >out 2>err || { echo "lgalloc cat $*: status $?: $(cat err)"; failed=1; }
	if ! cmp -s out <(tail -c +$((offset + 1)) "$file" | head -c "$count") || [ -s err ]; then
		echo "lgalloc cat $*: $(wc -c <out) bytes that are not those of the file; $(cat err)"
		failed=1
	fi
}

# refuses STATUS WORDS ARGUMENT...
refuses() {
	local status=$1 words=$2 got=0
	shift 2
	"$lgalloc" cat "$@" >out 2>err || got=$?
	if [ $got -ne "$status" ] || [ -s out ] || ! grep -q "$words" err; then
		echo "lgalloc cat $*: status $got: $(cat err)"
		failed=1
	fi
}

writes 0 1000003 odd "$PLAIN/odd"
writes 0 67108864 big "$PLAIN/big"
writes 0 0 empty "$PLAIN/empty"
writes 100 201 odd --range=100-300 "$PLAIN/odd"
writes 999999 4 odd --range=999999- "$PLAIN/odd"
writes 999998 5 odd --range=-5 "$PLAIN/odd"
writes 999998 5 odd -r 999998-2000000 "$PLAIN/odd"
writes 0 0 odd --range=2000000- "$PLAIN/odd"
writes 0 1000003 odd -o "ca_file:$CA" "$SECURE/odd"
refuses 1 'not there: 404' "$PLAIN/nothing"
refuses 1 'certificate is not trusted' "$SECURE/odd"
refuses 2 "option 'nonsense' is unknown" -o nonsense:1 "$PLAIN/odd"
refuses 2 'a URL begins with' ftp://host/
"$lgalloc" cat --progress "$PLAIN/odd" >out 2>err
grep -q '100%' err || { echo "no progress: $(cat err)"; failed=1; }
exit $failed
