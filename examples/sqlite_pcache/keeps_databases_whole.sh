#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Goal: keeps_databases_whole.c says it; here it gets a directory, and each backing.
. "$(dirname "$0")/../workplace.sh"
for backing in anon file; do
	mkdir "$place/$backing"
	LGALLOC_CONF="backing:$backing,dir:$place" "$1" "$place/$backing" || fail "backing:$backing, status $?"
done
