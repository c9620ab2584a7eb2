/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/backing.h"

#include "base/error.h"
#include "base/option.h"
#include "os/map.h"
#include "region/class.h"

#include <errno.h>

enum { WINDOW_BYTES = 128 << 10 }; /* the kernel's default for a device */

const struct lg_backing *lg_backing = &lg_backing_file;

void lg_backing_choose(void)
{
	static const struct lg_backing *const kinds[] = { [LG_BACKING_FILE] = &lg_backing_file,
							  [LG_BACKING_ANON] = &lg_backing_anon,
							  [LG_BACKING_PAGED] = &lg_backing_paged };

	lg_backing = kinds[lg_option(backing)];
}

/* The kernel reads ahead no more at a call than the device's window, and drops the rest without a word. */
int lg_backing_will_need(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	char *start = lg_class_base(class->index) + offset;
	int error = 0;

	for (uint64_t done = 0; done < bytes && error == 0; done += WINDOW_BYTES)
		error = lg_os_advise(start + done, lg_min(bytes - done, WINDOW_BYTES),
				     LG_OS_WILLNEED);
	return error;
}

int lg_backing_refused(int error, uint64_t bytes)
{
	return lg_fail(error == -EAGAIN ? ENOMEM : -error,
		       "an area of %llu bytes could not be mapped: %s", (unsigned long long)bytes,
		       lg_error_name(-error));
}

int lg_backing_unreserved(int error, uint64_t bytes)
{
	if (error == -EOPNOTSUPP)
		return lg_fail(EOPNOTSUPP,
			       "dir '%s': its file system cannot reserve disk space; choose "
			       "another, or reserve:off and risk SIGBUS when it is full",
			       lg_option_dir());
	return lg_fail(-error, "dir '%s' has no room for %llu more bytes: %s", lg_option_dir(),
		       (unsigned long long)bytes, lg_error_name(-error));
}
