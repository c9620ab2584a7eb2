/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/hangup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int lg_os_hangup_open(struct lg_os_hangup *hangup)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	lg_os_descriptor_keep(&hangup->ear, ends[0]);
	lg_os_descriptor_keep(&hangup->mouth, ends[1]);
	return 0;
}

/* A byte that nobody reads, for a child of fork may have a mouth as well. */
void lg_os_hangup_say(struct lg_os_hangup *hangup)
{
	if (lg_os_descriptor_is_ours(&hangup->mouth))
		while (write(hangup->mouth.fd, "", 1) < 0 && errno == EINTR)
			;
	lg_os_descriptor_close(&hangup->mouth);
}

void lg_os_hangup_close(struct lg_os_hangup *hangup)
{
	lg_os_descriptor_close(&hangup->mouth);
	lg_os_descriptor_close(&hangup->ear);
}
