# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# What scripts that start servers have in common, to be sourced: no proxies and no credentials but a test's own, $dir, a directory
# that goes, as do the processes of $pids.

unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
for name in $(compgen -e AWS_ || true); do unset "$name"; done
dir=$(mktemp -d "${TMPDIR:-/tmp}/lgalloc-remote-XXXXXX")
pids=
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

# needs TOOL...: or the test is skipped.
needs() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
	done
}

# ports COUNT: so many that nobody has now.
ports() {
	python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in sockets])' "$1"
}
