#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# parsers_find_nothing.sh HOLDER SOURCE: what a program writes that has used several classes is good for
# promtool (the Prometheus text, the metrics file) and for the OpenMetrics parser of Prometheus' client for
# Python; promtool finds nothing in the alerts, and they fire when they should.
set -euo pipefail
holder=$1 source=$2
. "$(dirname -- "$0")/programs.sh"
need promtool prometheus

# promtool's lint says what it does not like and is otherwise silent.
check()
{
	promtool check metrics <"$1" >"$work/said" 2>&1 || fail "promtool check metrics $2: $(cat "$work/said")"
	[ ! -s "$work/said" ] || fail "promtool says of $2: $(cat "$work/said")"
}

hold one "metrics_file:$work/one.prom,interval:20ms,usage_interval:20ms,backing:anon"
for class in 4096 65536 1048576 16777216; do
	tell one "new $class 9"
	tell one "free $class 5"
done
tell one "map 1048576 2097152 $work/mapped"
tell one "heap 3 $work/data.heap"
tell one "usage"
await 60 "the metrics file is written" test -s "$work/one.prom"
await 60 "the file shows what was measured" grep -q '^lgalloc_resident_bytes' "$work/one.prom"
await 60 "the file shows the heap's commits" grep -q '^lgalloc_heap_commits_total{heap="data.heap",.*} 3$' "$work/one.prom"
tell one "write 0 $work/openmetrics"
tell one "write 3 $work/prometheus"
cp "$work/one.prom" "$work/file"
let_end one
check "$work/file" "the metrics file"
check "$work/prometheus" "LG_PROMETHEUS"
[ "$(grep -c '^lgalloc_pager_fault_seconds_bucket{pager="1",' "$work/file")" -eq 27 ] || fail "the pager's histogram is there"
[ "$(grep -c '^lgalloc_regions{class="65536",' "$work/file")" -eq 6 ] || fail "six states of a class are there"

python=
for candidate in python3 /usr/bin/python3; do
	"$candidate" -c 'import prometheus_client.openmetrics.parser' 2>/dev/null && python=$candidate
done
if [ -n "$python" ]; then
	"$python" - "$work/openmetrics" "$work/prometheus" <<'PYTHON' || fail "the OpenMetrics parser takes the text"
import sys
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

with open(sys.argv[1], encoding="utf-8") as file:
    one = list(openmetrics.text_string_to_metric_families(file.read()))
with open(sys.argv[2], encoding="utf-8") as file:
    two = list(prometheus.text_string_to_metric_families(file.read()))
kinds = [{(family.name, family.type) for family in families} for families in (one, two)]
print(len(one), "families,", sum(len(family.samples) for family in one), "samples")
assert kinds[0] == kinds[1], kinds[0] ^ kinds[1]
assert {kind for _, kind in kinds[0]} == {"gauge", "counter", "histogram"}
assert len(one) > 40 and all(family.samples and family.documentation for family in one)
PYTHON
else
	printf 'no OpenMetrics parser here (python3-prometheus-client): only promtool looked\n'
fi

cp "$source/docs/prometheus/lgalloc.rules.yml" "$source/tests/integration/metrics/rules_test.yml" "$work"
promtool check rules "$work/lgalloc.rules.yml" >"$work/said" 2>&1 || fail "promtool check rules: $(cat "$work/said")"
promtool test rules "$work/rules_test.yml" >"$work/said" 2>&1 || fail "promtool test rules: $(cat "$work/said")"
