#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: the C++ example counts right with both backings; with anon no large resize copies (but
# in a sanitized library: second argument copies); a refusal is a message.
. "$(dirname "$0")/workplace.sh"
program=$1

for backing in anon file; do
	has_room 600
	LGALLOC_CONF="backing:$backing,dir:$place" "$program" 128 >"$place/$backing"
	grep -qF '8388608 samples, their sum is 4194304.0' "$place/$backing" || fail "the sum, $backing"
	grep -qF 'a node of the map is in a region: yes' "$place/$backing" || fail "the arena, $backing"
	grep -qF 'given back: 0 MiB in regions' "$place/$backing" || fail "something is left, $backing"
done
cat "$place/anon"
# From 64 KiB to 512 KiB by copying, from there to 128 MiB by moving.
grep -qF 'grown by push_back: 128 MiB in regions, 0 resizes moved pages, 11 copied them' "$place/file" ||
	fail "resizes, file"
[ "${2-}" = copies ] ||
	grep -qF 'grown by push_back: 128 MiB in regions, 8 resizes moved pages, 3 copied them' "$place/anon" ||
	fail "resizes, anon"
refused 'region' env LGALLOC_CONF="dir:$place,span:32M" "$program" 128
refused 'usage' "$program" 0
