/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What getdents64 fills in; the C library shows only its own form. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

enum { NAMES_BYTES = 8192 };

int lg_os_directory_each(const char *path,
			 void (*each)(int directory, const char *name, void *argument),
			 void *argument)
{
	_Alignas(struct entry) char names[NAMES_BYTES];
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long got;

	if (directory < 0)
		return -errno;
	while ((got = syscall(SYS_getdents64, directory, names, sizeof(names))) > 0) {
		for (long at = 0; at < got;) {
			struct entry head;

			memcpy(&head, names + at, offsetof(struct entry, name));
			each(directory, names + at + offsetof(struct entry, name), argument);
			at += head.bytes;
		}
	}
	int error = got < 0 ? -errno : 0;
	close(directory);
	return error;
}
