/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/backing.h"

#include "base/error.h"
#include "base/option.h"

#include <errno.h>

const struct lg_backing *lg_backing = &lg_backing_file;

void lg_backing_choose(void)
{
	lg_backing = lg_option(backing) == LG_BACKING_ANON ? &lg_backing_anon : &lg_backing_file;
}

int lg_backing_refused(int error, uint64_t bytes)
{
	return lg_fail(error == -EAGAIN ? ENOMEM : -error,
		       "an area of %llu bytes could not be mapped: %s", (unsigned long long)bytes,
		       lg_error_name(-error));
}
