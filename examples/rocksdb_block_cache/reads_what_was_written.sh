#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: through a cache in regions every value is read as it was written, with blocks small and large, caches too
# small and large enough, and in both backings; what cannot be done is one line.
. "$(dirname "$0")/../workplace.sh"
program=$1
cd "$place"

for block in 4K 64K; do
	for cache in 1M 64M; do
		for backing in anon file; do
			LGALLOC_CONF="backing:$backing,dir:$place" "$program" --keys=20K --block-size="$block" \
				--cache-size="$cache" --reads=4K --threads=3 --settle=0 "table.$block" >out ||
				fail "blocks of $block, cache of $cache, $backing: status $?"
		done
	done
	echo "blocks of $block: $(grep ^reads out)"
done
"$program" --allocator=default --keys=20K --reads=2K --settle=0 table.4K >/dev/null || fail "malloc's"
refused 'neither default nor regions' "$program" --allocator=jemalloc x
refused 'wrong values' "$program" --keys=20K --value-bytes=401 --reads=1K --settle=0 table.4K
: >file
refused 'rocksdb_block_cache: file:' "$program" file
