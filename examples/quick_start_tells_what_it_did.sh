#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: the first program runs, with both backings, and its bytes survive resize and LG_COLD.
. "$(dirname "$0")/workplace.sh"
program=$1

for backing in file anon; do
	LGALLOC_CONF="backing:$backing,dir:$place" "$program" >"$place/out"
	grep -qF '64 MiB: large memory whose bytes live in a file' "$place/out" || fail "resize, $backing"
	grep -qF 'leads back to it: yes' "$place/out" || fail "lg_region_of, $backing"
	grep -qF 'from the disk: large memory whose bytes live in a file' "$place/out" || fail "LG_COLD, $backing"
	[ "$(wc -l <"$place/out")" -gt 3 ] || fail "no table, $backing"
done
cat "$place/out"
