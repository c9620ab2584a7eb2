# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Sourced by the comparisons: files of "name value…" lines, one for each run, and their medians.

# median_of COLUMN NAME FILE
median_of() {
	awk -v name="$2" -v column="$1" '$1 == name { print $column }' "$3" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# medians FILE WIDTH COLUMN…: a line for each name, in order of appearance; behind each value its ratio to the first
# name's.
medians() {
	local file=$1 width=$2 first='' name column base value
	shift 2
	for name in $(awk '!seen[$1]++ { print $1 }' "$file"); do
		first=${first:-$name}
		printf "  %-${width}s" "$name"
		for column in "$@"; do
			value=$(median_of "$column" "$name" "$file")
			base=$(median_of "$column" "$first" "$file")
			awk -v v="$value" -v b="$base" \
				'BEGIN { printf "%12.1f %6s", v, (b > 0 ? sprintf("%.2fx", v / b) : "-") }'
		done
		echo
	done
}
