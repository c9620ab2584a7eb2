/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A hang-up: threads that poll a descriptor are woken by it, once and for all.
 *
 * A pipe, whose other end says so. An eventfd would do, but for a program that closes all descriptors: that
 * wakes whoever polls a pipe, and nobody who polls an eventfd.
 */
#ifndef LG_OS_HANGUP_H
#define LG_OS_HANGUP_H

#include "os/descriptor.h"

struct lg_os_hangup {
	struct lg_os_descriptor ear; /* readable when it is time to end */
	struct lg_os_descriptor mouth;
};

/* 0 or -errno. */
int lg_os_hangup_open(struct lg_os_hangup *hangup);

/* Wakes all that poll the ear, or will. */
void lg_os_hangup_say(struct lg_os_hangup *hangup);

/* May be called again. */
void lg_os_hangup_close(struct lg_os_hangup *hangup);

#endif
