#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: every failure is one line that names the file and the reason, and leaves no half output; and the
# verifier finds each kind of damage.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"

"$program" --generate=300000 in
"$program" -m 8M in out
"$program" --verify in out

echo "the verifier finds damage"
cp out damaged
printf '\377' | dd of=damaged bs=1 seek=4007 conv=notrunc status=none
refused 'smaller than the one before it' "$program" --verify in damaged
# The last key made larger: still in order, another key.
cp out damaged
printf '\377\377\377\377\377\377\377\377' | dd of=damaged bs=1 seek=2399992 conv=notrunc status=none
refused 'other keys than the input' "$program" --verify in damaged
# A key doubled over its neighbour.
cp out damaged
dd if=out of=damaged bs=8 skip=1000 seek=1001 count=1 conv=notrunc status=none
refused 'other keys than the input' "$program" --verify in damaged
head -c 2399992 out >damaged
refused '299999' "$program" --verify in damaged

echo "bad files"
head -c 1001 in >odd
refused 'odd: 1001 bytes are no whole number of 8-byte keys' "$program" odd out2
refused 'missing: cannot open: No such file or directory' "$program" missing out2
refused '.: cannot' "$program" in .
refused '.: not a regular file' "$program" . out2
refused 'nowhere/out: cannot create: No such file or directory' "$program" in nowhere/out
refused '/dev/null: not a regular file' "$program" in /dev/null
[ ! -e out2 ] || fail "an output was left"
cp in same
ln same link
refused 'link: is the input' "$program" same link
cmp -s in same || fail "the input was touched"
refused 'Usage' "$program" in
refused 'Usage' "$program" in out out2
refused '--memory' "$program" -m 12X in out2
refused '--memory' "$program" -m -5 in out2
refused 'backing' "$program" -o backing:tape in out2

echo "no room"
# SIGXFSZ ignored, as is usual for what wants an error instead of a death.
limited() { (trap '' XFSZ; ulimit -f 1024; exec "$@"); }
refused 'out2: cannot reserve disk space: File too large' limited "$program" in out2
[ ! -e out2 ] || fail "an output was left"
mkdir small
if unshare -m mount -t tmpfs -o size=1M none small 2>/dev/null; then
	# The mount lives in a namespace of its own and ends with it.
	on_small() { unshare -m sh -c 'mount -t tmpfs -o size=1M none small && exec "$@"' sh "$@"; }
	refused 'small/out: cannot reserve disk space: No space left on device' \
		on_small "$program" in small/out
	[ ! -e small/out ] || fail "the mount did not end with its namespace"
	refused 'no disk space left (ENOSPC)' on_small "$program" -m 8M -o backing:file,dir:small in out2
	[ ! -e out2 ] || fail "an output was left"
else
	echo "not permitted here: a small file system to fill"
fi
full() { "$@" >/dev/full; }
refused 'standard output: cannot write: No space left on device' full "$program" --sample=1 in
