# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Sourced by the tests beside it: what is missing, a directory, holders, and an end that leaves nothing
# running.

skip()
{
	printf 'skipped: %s\n' "$*"
	exit 77
}

# need PROGRAM PACKAGE...: skips without one of the programs.
need()
{
	while [ $# -gt 0 ]; do
		command -v "$1" >/dev/null || skip "$1 is not here (Debian's $2)"
		shift 2
	done
}

fail()
{
	printf 'does not hold: %s\n' "$*"
	[ -z "${report-}" ] || "$report"
	exit 1
}

PATH=$PATH:/usr/sbin:/sbin
unset LGALLOC_CONF LD_PRELOAD http_proxy HTTP_PROXY all_proxy ALL_PROXY
work=$(mktemp -d)
started=()

finish()
{
	local process
	for process in "${started[@]}"; do
		kill "$process" 2>/dev/null || true
	done
	for process in "${started[@]}"; do
		wait "$process" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# hold NAME OPTIONS: a holder whose commands are given by: tell NAME COMMAND
hold()
{
	local name=$1 in out
	mkfifo "$work/$name.in" "$work/$name.out"
	LGALLOC_CONF=$2 "$holder" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err" &
	started+=($!)
	eval "${name}_process=$!"
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	eval "${name}_in=$in ${name}_out=$out"
}

tell()
{
	local in=$1_in out=$1_out answer=
	printf '%s\n' "$2" >&"${!in}"
	IFS= read -r -t 60 answer <&"${!out}" || true
	[ "$answer" = "done" ] || fail "the holder $1 did '$2': $(cat "$work/$1.err")"
}

# By its exit, and well. (An end of its input is not seen: later children have the descriptor as well.)
let_end()
{
	local process=$1_process
	tell "$1" end
	wait "${!process}" || fail "the holder $1 ends with status $?: $(cat "$work/$1.err")"
}

# await SECONDS WHAT COMMAND...: until the command succeeds; the seconds are those of a hang.
await()
{
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "$what within $1 s"
		sleep 0.05
	done
}
