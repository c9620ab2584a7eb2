#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# metrics.sh HOLDER, by with_servers.sh: what a program writes that read objects is good for promtool, and has neither their URLs,
# with queries that may be signatures, nor a secret. MAKER is the program that makes the objects.
set -eu

if [ "$1" = make ]; then
	exec "$MAKER" "$@"
fi
holder=$1
. "$(dirname -- "$0")/../metrics/programs.sh"
need promtool prometheus

export AWS_ENDPOINT_URL_S3=$PLAIN AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=hunter2 AWS_SESSION_TOKEN=hunter3
hold one "metrics_file:$work/one.prom,interval:20ms"
tell one "new 65536 1"
tell one "url $PLAIN/odd?X-Amz-Signature=hunter4"
mkdir "$WWW/bucket" && ln "$WWW/odd" "$WWW/bucket/odd"
tell one "url s3://bucket/odd"
for format in 0 1 2 3; do
	tell one "write $format $work/format.$format"
done
await 60 "the file shows the objects" grep -q '^lgalloc_remote_gets_total{' "$work/one.prom"
let_end one
promtool check metrics <"$work/format.3" >"$work/said" 2>&1 || fail "promtool check metrics: $(cat "$work/said")"
[ ! -s "$work/said" ] || fail "promtool says: $(cat "$work/said")"
[ "$(grep -c '^lgalloc_remote_first_byte_seconds_bucket{' "$work/format.3")" -eq 27 ] || fail "the histogram of first bytes is there"
[ "$(grep -c '^lgalloc_remote_fault_seconds_bucket{' "$work/format.3")" -eq 27 ] || fail "the histogram of faults is there"
for file in "$work"/format.* "$work/one.prom" "$work/one.err"; do
	! grep -i -E 'hunter|AKID|odd|127\.0\.0\.1|Signature' "$file" || fail "$file tells who asks, or for what"
done
