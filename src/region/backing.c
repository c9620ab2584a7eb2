/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/backing.h"

#include "base/option.h"

const struct lg_backing *lg_backing = &lg_backing_file;

void lg_backing_choose(void)
{
	lg_backing = lg_option(backing) == LG_BACKING_ANON ? &lg_backing_anon : &lg_backing_file;
}
