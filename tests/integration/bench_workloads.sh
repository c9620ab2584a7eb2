# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# What tests of benchmark programs have in common, to be sourced: $work, a directory that goes, $failed, `runs` and `refuses`.

unset LGALLOC_CONF LD_PRELOAD
exec 3>&- # where a workload answers if it is open: ctest leaves its log there
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
failed=0

# runs NAMES WORD...: the workload with KEY=NAME for each, KEY being $key. It ends well and says a value, which matches $value;
# or `may_skip NAME` says that it may be skipped.
runs() {
	local names=$1 status name
	shift
	for name in $names; do
		status=0
		timeout 120 "$1" "$2" "$key=$name" "${@:3}" >"$work/out" 2>&1 || status=$?
		if [ "$status" -eq 77 ] && may_skip "$name"; then
			continue
		fi
		if [ "$status" -ne 0 ] || ! grep -Eq "^v value $value" "$work/out"; then
			printf '%s %s=%s: status %s: %s\n' "${*:2}" "$key" "$name" "$status" "$(cat "$work/out")"
			failed=1
		fi
	done
}

# refuses PROGRAM WORKLOAD WORD KNOWN: the workload does not begin; it says which word it is, and what it takes.
refuses() {
	if "$1" "$2" "$3" >"$work/out" 2>&1 || [ "$(cat "$work/out")" != "fail $3: $2 takes no such argument; it takes: $4" ]; then
		printf '%s %s: %s\n' "$2" "$3" "$(cat "$work/out")"
		failed=1
	fi
}
