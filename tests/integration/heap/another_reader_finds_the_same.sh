#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# docs/heap-format.md is enough to write a reader: one in Python lists the same roots and objects as the program that
# made the heap and was killed; and does not read what is no heap. Argument: the holder.
set -euo pipefail

holder=$1
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
command -v python3 >/dev/null || exit 77
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

status=0
"$holder" "$directory/a.heap" >"$directory/expected" 2>&1 || status=$?
[ "$status" -eq 137 ] || { echo "the holder did not come to its end"; exit 1; }
python3 "$here/reader.py" "$directory/a.heap" >"$directory/seen"
diff <(sort "$directory/expected") <(sort "$directory/seen")
[ "$(grep -c '^object' "$directory/seen")" -gt 300 ]
[ "$(grep -c '^root' "$directory/seen")" -eq 8 ]
if python3 "$here/reader.py" "$holder" 2>"$directory/words"; then
	echo "a program was read as a heap"
	exit 1
fi
grep -q 'no heap' "$directory/words"
