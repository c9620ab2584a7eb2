/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/backing.h"

#include "base/error.h"
#include "base/option.h"

#include <errno.h>

const struct lg_backing *lg_backing = &lg_backing_file;

void lg_backing_choose(void)
{
	static const struct lg_backing *const kinds[] = { [LG_BACKING_FILE] = &lg_backing_file,
							  [LG_BACKING_ANON] = &lg_backing_anon,
							  [LG_BACKING_PAGED] = &lg_backing_paged };

	lg_backing = kinds[lg_option(backing)];
}

int lg_backing_refused(int error, uint64_t bytes)
{
	return lg_fail(error == -EAGAIN ? ENOMEM : -error,
		       "an area of %llu bytes could not be mapped: %s", (unsigned long long)bytes,
		       lg_error_name(-error));
}
