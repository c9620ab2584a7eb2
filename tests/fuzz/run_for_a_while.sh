#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# run_for_a_while.sh SEEDS TARGET SECONDS: the fuzzer on seeds, a directory of them or a program that makes them now, for
# LGALLOC_FUZZ_SECONDS or so many. What it finds is left in the current directory, as TARGET.crash-….
set -euo pipefail
seeds=$1 target=$2 seconds=$3
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

mkdir "$directory/seeds" "$directory/corpus"
if [ -d "$seeds" ]; then
	cp "$seeds"/* "$directory/seeds"
else
	"$seeds" "$directory/seeds"
fi
[ "$(find "$directory/seeds" -type f | wc -l)" -ge 10 ]
if ! "$target" -max_total_time="${LGALLOC_FUZZ_SECONDS:-$seconds}" -max_len=262144 -rss_limit_mb=4096 -timeout=60 \
	-len_control=0 -print_final_stats=1 -artifact_prefix="${target##*/}." \
	"$directory/corpus" "$directory/seeds" >"$directory/said" 2>&1; then
	tail -n 60 "$directory/said"
	exit 1
fi
grep -E '^stat::number_of_executed_units|INITED|DONE' "$directory/said"
# All seeds were taken, and there was more than the seeds.
executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$directory/said")
[ "$executed" -gt 100 ]
