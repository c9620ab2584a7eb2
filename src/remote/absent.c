/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Instead of remote/store.c where libcurl's headers were not there. */
#include "base/error.h"
#include "remote/store.h"

#include <errno.h>

int lg_remote_store_open(const char *url, const struct lg_remote_options *options,
			 struct lg_store **store)
{
	(void)url;
	(void)options;
	(void)store;
	return lg_fail(ENOSYS, "this library was built without libcurl, and maps no URLs");
}
