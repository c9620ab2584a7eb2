# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Sourced by the examples' tests: a directory of their own that goes away, and how they fail.
set -eu -o pipefail
export LC_ALL=C

place=$(mktemp -d "${TMPDIR:-/var/tmp}/lgalloc-example.XXXXXX")
leave() { rm -rf "$place"; }
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# refused TEXT COMMAND...: the command must end with status 1 or 2, not by a signal, and say TEXT.
refused() {
	local text=$1 status=0
	shift
	"$@" >"$place/refused" 2>&1 || status=$?
	[ "$status" = 1 ] || [ "$status" = 2 ] || fail "status $status of: $*"
	grep -qF -- "$text" "$place/refused" || {
		cat "$place/refused" >&2
		fail "\"$text\" was not said by: $*"
	}
}

# has_room MIB: ends the test if the directory has less disk space.
has_room() {
	local free
	free=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] || skip "$place has $free MiB of disk space, this needs $1"
}
