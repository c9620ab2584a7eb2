#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# `lgalloc heap` lists what the program that made the heap, and was killed, says is in it; tells a sound heap from a
# damaged one by its status; repairs and copies it; and changes nothing where it only looks. Arguments: the holder, the
# command.
set -euo pipefail

holder=$1 lgalloc=$2
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
heap=$directory/a.heap

fail() {
	printf '%s\n' "$@"
	exit 1
}

# expect STATUS ARGUMENT...: of lgalloc heap; its output is in out and err.
expect() {
	local status=$1 got=0
	shift
	"$lgalloc" heap "$@" >"$directory/out" 2>"$directory/err" </dev/null || got=$?
	[ "$got" -eq "$status" ] ||
		fail "heap $*: status $got, not $status" "$(cat "$directory/out" "$directory/err")"
}

says() {
	grep -qE -- "$1" "$directory/$2" || fail "'$1' is not in $2:" "$(cat "$directory/$2")"
}

# flip FILE OFFSET: another byte than was there, whatever it was.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

status=0
"$holder" "$heap" >"$directory/expected" 2>&1 || status=$?
[ "$status" -eq 137 ] || fail "the holder did not come to its end"
before=$(sha256sum "$heap")

# What was not closed is shown as it will be.
expect 0 info "$heap"
says '^state +not closed: the next open writes [1-9][0-9]* commits? with [1-9][0-9]* pages home$' out
says '^commit +5$' out
says "^roots +$(grep -c '^root' "$directory/expected")\$" out
says "^objects +$(grep -c '^object' "$directory/expected")\$" out
says "^in objects .*\\($(awk '/^object/ { sum += $3 } END { print sum }' "$directory/expected") bytes\\)\$" out
says '^uuid +[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' out
says '^journal +[0-9.]+M in [0-9]+ pieces, [0-9.]+[KM] in use$' out

# Every root and object, in both forms.
sed -nE 's/^root (root [0-9]+) (.*)/root,\2,"\1"/p; s/^object (0x[0-9a-f]+) ([0-9]+) .*/object,\1,\2/p' \
	"$directory/expected" | sort >"$directory/wanted"
expect 0 dump --csv "$heap"
head -n 1 "$directory/out" | grep -qx 'kind,ref,bytes,class,name' || fail "no head of the values"
sed -nE 's/^root,(0x[0-9a-f]+),[0-9]+,([0-9]+|extent),(.*)/root,\1,\3/p; s/^(object,0x[0-9a-f]+,[0-9]+),([0-9]+|extent),$/\1/p' \
	"$directory/out" | sort >"$directory/shown"
diff "$directory/wanted" "$directory/shown"
[ "$(wc -l <"$directory/out")" -eq $(($(wc -l <"$directory/wanted") + 1)) ] || fail "lines that nobody wanted"
grep -q ',extent,$' "$directory/out" || fail "no extent among the objects"
expect 0 dump "$heap"
[ "$(grep -c '^object' "$directory/out")" -eq "$(grep -c '^object' "$directory/wanted")" ]
expect 0 dump --roots "$heap"
! grep -q '^object' "$directory/out" || fail "objects beside the roots"
says '^root +0x[0-9a-f]+ +[0-9]+ +([0-9]+|extent) root 0$' out

expect 0 check "$heap"
says ' commit 5: 0 findings$' out
"$lgalloc" heap dump "$heap" >/dev/full 2>"$directory/err" && fail "a full disk is no failure"
says 'standard output: No space left' err
[ "$(sha256sum "$heap")" = "$before" ] || fail "looking changed the file"

# A copy is a closed heap with the same in it, of another name; it takes nobody's place.
expect 0 snapshot "$heap" "$directory/copy.heap"
[ ! -s "$directory/out" ] || fail "a snapshot has nothing to say"
expect 0 info "$directory/copy.heap"
says '^state +closed$' out
expect 0 dump --csv "$directory/copy.heap"
grep '^object' "$directory/out" | cut -d, -f1-3 | sort | diff <(grep '^object' "$directory/wanted") -
expect 1 snapshot "$heap" "$directory/copy.heap"
says 'copy.heap: no snapshot can be written: File exists' err
expect 0 info "$heap"
says '^state +not closed: the next open writes 0 commits' out

# Somebody has it.
if command -v python3 >/dev/null; then
	coproc lock { exec python3 -c 'import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()' "$heap"; }
	read -r _ <&"${lock[0]}"
	for action in info dump check 'check --repair'; do
		# shellcheck disable=SC2086
		expect 1 $action "$heap"
		says 'a.heap: another process, or this one, has it open$' err
	done
	expect 1 snapshot "$heap" "$directory/other.heap"
	[ ! -e "$directory/other.heap" ] || fail "a refused snapshot left a file"
	eval "exec ${lock[1]}>&-"
	wait "$lock_PID"
fi

# A bit of an object.
copy=$directory/copy.heap
expect 0 dump --csv "$copy"
ref=$(($(awk -F, '$1 == "object" && $4 == "extent" { print $2; exit }' "$directory/out")))
flip "$copy" "$ref"
damaged=$(sha256sum "$copy")
expect 3 check "$copy"
says "^page $((ref / 4096)): its checksum is [0-9a-f]{8}, not [0-9a-f]{8}\$" out
says ' 1 findings$' out
[ "$(sha256sum "$copy")" = "$damaged" ] || fail "a check changed the file"
expect 4 check --repair "$copy"
says ' 1 findings, repaired$' out
expect 0 check "$copy"

# A superblock, of which there are two.
flip "$copy" 20
expect 3 check "$copy"
says '^superblock 0 does not count: its superblock is damaged$' out
expect 4 check --repair "$copy"
expect 0 check "$copy"

# Half of it, and one of a later version.
cp --sparse=always "$copy" "$directory/half.heap"
truncate -s 100M "$directory/half.heap"
for action in info dump check 'check --repair'; do
	# shellcheck disable=SC2086
	expect 1 $action "$directory/half.heap"
	says 'half.heap: it was truncated: 104857600 bytes of ' err
done
command -v python3 >/dev/null || exit 0
PYTHONPATH=$(dirname -- "${BASH_SOURCE[0]}") python3 -B - "$copy" <<'PYTHON'
import struct
import sys
from reader import PAGE, crc32c
with open(sys.argv[1], "r+b") as file:
    data = bytearray(file.read(608))
    struct.pack_into("<I", data, 8, 2)
    struct.pack_into("<I", data, 604, crc32c(data[:604]))
    file.seek(PAGE)
    file.write(data)
PYTHON
expect 1 info "$copy"
says 'copy.heap: it was made by a newer version' err
