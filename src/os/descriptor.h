/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A descriptor of the library's that is no file with bytes (for those see os/file.h): programs close descriptors they do
 * not know, and get their numbers. Device and inode tell whose it is; where the kernel gives its nameless
 * files one inode for all, as before Linux 5.13 a userfaultfd, that is not enough, and whoever has one looks further.
 */
#ifndef LG_OS_DESCRIPTOR_H
#define LG_OS_DESCRIPTOR_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

struct lg_os_descriptor {
	int fd; /* -1: none */
	dev_t device;
	ino_t inode;
};

/* The descriptor under a high number, or as it was. It is kept (os/kept.h) until it is shut, by the second; 0 or -errno. */
int lg_os_descriptor_move_high(int fd);
int lg_os_descriptor_shut(int fd);

/* Takes over what was opened, under a high number. */
void lg_os_descriptor_keep(struct lg_os_descriptor *descriptor, int fd);

/* One system call; may be asked inside a signal handler. */
bool lg_os_descriptor_is_ours(const struct lg_os_descriptor *descriptor);

/* Closes it if it is ours. May be called again. */
void lg_os_descriptor_close(struct lg_os_descriptor *descriptor);

/* Which of these are ready, without waiting: how many, or -errno. */
int lg_os_poll_now(struct pollfd *descriptors, unsigned count);

#endif
