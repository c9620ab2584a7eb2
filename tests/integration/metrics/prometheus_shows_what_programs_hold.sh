#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# prometheus_shows_what_programs_hold.sh HOLDER SOURCE HAS_URL: programs with a metrics_file, node_exporter's
# textfile collector and Prometheus, on free ports of 127.0.0.1: a query gives exactly the numbers the
# programs hold, follows them, and forgets a program that ended. Then the dashboard's and the alerts' queries.
set -euo pipefail
holder=$1 source=$2 has_url=$3
. "$(dirname -- "$0")/programs.sh"
[ -n "$has_url" ] || skip "built without libcurl, and the dashboard shows objects of URLs"
need prometheus prometheus prometheus-node-exporter prometheus-node-exporter curl curl python3 python3

report()
{
	tail -n 20 "$work"/*.log 2>/dev/null || true
}
report=report

free_port()
{
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

get()
{
	curl -sS --noproxy '*' --max-time 10 "$@" 2>>"$work/curl.log"
}

# serve NAME PATH COMMAND...: runs the command with PORT in it replaced, until it answers at the path. The
# port may be taken between the look and the start: then another one.
serve()
{
	local name=$1 path=$2 attempt port process end
	shift 2
	for attempt in 1 2 3 4 5; do
		port=$(free_port)
		"${@//PORT/$port}" >>"$work/$name.log" 2>&1 &
		process=$!
		started+=("$process")
		end=$((SECONDS + 60))
		while kill -0 "$process" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
			if get -f "http://127.0.0.1:$port$path" >/dev/null; then
				eval "${name}_port=$port"
				return
			fi
			sleep 0.05
		done
		kill "$process" 2>/dev/null || true
	done
	fail "$name starts"
}

# The value of the one sample an expression gives; "none", or "many".
value_of()
{
	get --data-urlencode "query=$1" "http://127.0.0.1:$prometheus_port/api/v1/query" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["status"] == "success", answer
result = answer["data"]["result"]
print(result[0]["value"][1] if len(result) == 1 else "many" if result else "none")'
}

is()
{
	last=$(value_of "$1")
	[ "$last" = "$2" ]
}

# shows EXPRESSION VALUE
shows()
{
	last=
	await 60 "$1 is $2" is "$1" "$2"
}

mkdir "$work/textfile" "$work/data"
options=interval:100ms,usage_interval:1s,dir:$work/data
hold one "metrics_file:$work/textfile/one.prom,$options"
hold two "metrics_file:$work/textfile/two.%p.prom,$options,backing:anon"
tell one "new 65536 11"
tell one "new 2097152 7"
tell one "new 1048576 5"
tell one "free 1048576 5"
tell two "new 65536 3"
tell one "map 1048576 2097152 $work/data/mapped"
tell one "heap 4 $work/data/some.heap"
mkdir "$work/www"
head -c 4000000 /dev/urandom >"$work/www/object"
serve web /object python3 -m http.server PORT --bind 127.0.0.1 --directory "$work/www"
tell two "url http://127.0.0.1:$web_port/object"

serve exporter /metrics prometheus-node-exporter --web.listen-address=127.0.0.1:PORT \
	--collector.disable-defaults --collector.textfile --collector.textfile.directory="$work/textfile"
cp "$source/docs/prometheus/lgalloc.rules.yml" "$work/rules.yml"
cat >"$work/prometheus.yml" <<CONFIG
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files:
  - rules.yml
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ["127.0.0.1:$exporter_port"]
CONFIG
serve prometheus /-/ready prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
	--web.listen-address=127.0.0.1:PORT --log.level=warn

shows 'lgalloc_regions{process="one",class="65536",state="in_use"}' 11
shows 'lgalloc_regions{process="one",class="2097152",state="in_use"}' 7
shows 'lgalloc_regions{process="one",class="1048576",state="in_use"}' 0
shows 'lgalloc_allocations_total{process="one",class="1048576"}' 5
shows 'lgalloc_frees_total{process="one",class="1048576"}' 5
shows 'sum(lgalloc_region_bytes{process="one",state="in_use"})' $((11 * 65536 + 7 * 2097152))
shows 'sum(lgalloc_regions{class="65536",state="in_use"})' 14
shows 'count(lgalloc_build_info)' 2
shows 'lgalloc_threads{process="one"}' 1
shows "lgalloc_threads{process=\"two.$two_process\"}" 1
shows 'lgalloc_pager_map_bytes{process="one",pager="1"}' 2097152
shows 'lgalloc_pager_budget_bytes{process="one",pager="1"}' 1048576
shows 'lgalloc_pager_resident_bytes{process="one",pager="1"} <= bool lgalloc_pager_budget_bytes' 1
shows 'lgalloc_pager_fault_seconds_count{process="one"} == bool lgalloc_pager_faults_total' 1
shows 'lgalloc_pager_written_bytes_total{process="one"} >= bool 2097152' 1
shows 'lgalloc_heap_commits_total{process="one",heap="some.heap"}' 4
shows 'lgalloc_heap_allocations_total{process="one",heap="some.heap"}' 4
shows 'lgalloc_heap_sequence{process="one",heap="some.heap"}' 4
shows 'lgalloc_heap_failed{process="one",heap="some.heap"}' 0
shows 'lgalloc_heap_home_pages_total{process="one",heap="some.heap"} > bool 0' 1
shows 'node_textfile_scrape_error' 0
shows 'count(node_textfile_mtime_seconds)' 2

two='process=~"two.*"'
shows "lgalloc_remote_gets_total{$two} > bool 1" 1
shows "lgalloc_remote_used_bytes_total{$two} >= bool 4000000" 1
shows "lgalloc_remote_fault_seconds_count{$two} > bool 5" 1
shows "lgalloc_remote_first_byte_seconds_count{$two} <= bool lgalloc_remote_gets_total" 1

tell one "free 65536 4"
shows 'lgalloc_regions{process="one",class="65536",state="in_use"}' 7
tell one "free 2097152 7"
shows 'sum(lgalloc_region_bytes{process="one",state="in_use"})' $((7 * 65536))
tell two "new 65536 2"
shows 'sum(lgalloc_regions{class="65536",state="in_use"})' 12

# The query page, the rules and the dashboard, while both programs are there.
python3 "$(dirname -- "$0")/dashboard.py" "$source/docs/grafana/lgalloc.json" "$source/docs/metrics.md" \
	"http://127.0.0.1:$prometheus_port" || fail "every query is answered"

let_end two
shows 'count(lgalloc_build_info)' 1
shows 'sum(lgalloc_regions{class="65536",state="in_use"})' 7
let_end one
[ ! -s "$work/one.err" ] && [ ! -s "$work/two.err" ] || fail "the programs print nothing"
