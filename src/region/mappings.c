/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/mappings.h"

#include "base/atomic.h"
#include "os/limits.h"

static _Atomic(int64_t) left;

void lg_mappings_start(void)
{
	lg_store_relaxed(&left, (int64_t)(lg_os_mappings_max() / 8));
}

bool lg_mappings_take(uint32_t count)
{
	if (lg_sub_relaxed(&left, (int64_t)count) >= (int64_t)count)
		return true;
	lg_mappings_give(count);
	return false;
}

void lg_mappings_give(uint32_t count)
{
	lg_add_relaxed(&left, (int64_t)count);
}
