#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# command_says_what_is_wrong.sh LGALLOC: wrong usage is status 2 and one line that names it, a failure
# status 1 and one line; help and version go to stdout.
set -euo pipefail
unset LGALLOC_CONF LD_PRELOAD
lgalloc=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect STATUS WORDS ARGUMENT...: the status, and stderr with these words on its first line.
expect() {
	local status=$1 words=$2 got=0
	shift 2
	"$lgalloc" "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" -ne "$status" ] || ! head -n 1 "$work/err" | grep -qF -- "$words"; then
		printf 'lgalloc %s: status %s, not %s; %s\n' "$*" "$got" "$status" "$(cat "$work/err")"
		failed=1
	fi
}

# prints WORDS ARGUMENT...: status 0, nothing on stderr, these words on stdout.
prints() {
	local words=$1 got=0
	shift
	"$lgalloc" "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" -ne 0 ] || [ -s "$work/err" ] || ! grep -qF -- "$words" "$work/out"; then
		printf 'lgalloc %s: status %s, stdout without "%s"; %s\n' "$*" "$got" "$words" "$(cat "$work/err")"
		failed=1
	fi
}

prints "usage: lgalloc" --help
prints "lgalloc 0." --version
prints "cache_bytes" options
prints "min_size" options
prints "Usage: lgalloc run" run --help
prints "Usage: lgalloc options" options --help
expect 2 "usage: lgalloc"
expect 2 "'nonsense' is no command" nonsense
expect 2 "which program" run
expect 2 "option 'bad' is unknown" run -o bad:1 true
expect 2 "nonsense" run --nonsense true
expect 2 "'fil' is not file or anon" run -o backing:fil true
expect 2 "min_size: '1' is not" run -m 1 true
expect 2 "nonsense" options --nonsense
expect 1 "'$work/none' cannot be started: No such file" run "$work/none"
expect 1 "Permission denied" run "$work"
LGALLOC_CONF=nonsense:1 expect 2 "option 'nonsense' is unknown" run true
exit "$failed"
