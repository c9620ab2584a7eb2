#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# satisfy_lintian.sh INTO: lintian has no error and no warning about the packages that are_made.sh made.
set -eu

command -v lintian >/dev/null || {
	echo "skipped: no lintian here"
	exit 77
}
[ -d "$1/this" ] || {
	echo "skipped: no packages were made"
	exit 77
}

# lintian leaves files where it works.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
TMPDIR=$work lintian --allow-root --no-cfg --fail-on error,warning "$1"/this/*.deb
