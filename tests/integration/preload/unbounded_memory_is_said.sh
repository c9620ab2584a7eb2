#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# unbounded_memory_is_said.sh LGALLOC PROGRAM: a program whose large blocks cannot be regions any more has them
# from the allocator behind; of backing:paged, which is asked for to bound memory, one line says so, which names why.
set -euo pipefail
lgalloc=$1 program=$2
work=$(mktemp -d /var/tmp/lgalloc-unbounded.XXXXXX)
trap 'rm -rf "$work"' EXIT

fail()
{
	printf 'does not hold: %s\n' "$*"
	exit 1
}

paged=backing:paged,faults:inline,paged_memory:8M,dir:$work
if ! "$lgalloc" run -o "$paged" true 2>"$work/err"; then
	cat "$work/err"
	exit 77
fi
"$lgalloc" run -o "$paged" -- "$program" 2>"$work/err" || fail "under $paged it ends well: $(cat "$work/err")"
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "one line is said: $(cat "$work/err")"
grep -q '^lgalloc: a request of 67108864 bytes is not within paged_memory: .*ulimit -n (EMFILE); it and others' "$work/err" ||
	fail "it names the request and why: $(cat "$work/err")"
for other in anon file; do
	"$lgalloc" run -o "backing:$other,dir:$work" -- "$program" 2>"$work/err" || fail "backing:$other: $(cat "$work/err")"
	[ ! -s "$work/err" ] || fail "backing:$other bounds nothing, and says nothing: $(cat "$work/err")"
done
