/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The names in a directory, without opendir, which allocates. */
#ifndef LG_OS_DIRECTORY_H
#define LG_OS_DIRECTORY_H

/* Calls `each` for every name, "." and ".." included; the directory is open as `directory`. -errno. */
int lg_os_directory_each(const char *path,
			 void (*each)(int directory, const char *name, void *argument),
			 void *argument);

#endif
