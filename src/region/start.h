/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The start of the library in this process: at the first miss of the first thread, never at load time. */
#ifndef LG_REGION_START_H
#define LG_REGION_START_H

#include <stdbool.h>

/* 0 once everything is there; -errno, in words, and a later call tries again. */
int lg_start(void);

bool lg_start_is_done(void);
bool lg_start_has_exit_hook(void);
bool lg_start_has_barrier(void);

/* Options from the environment, once, before any other source. */
void lg_start_read_environment(void);

/* Nobody is starting, or changing options. */
void lg_start_lock(void);
void lg_start_unlock(void);

/* The child of a fork: what the kernel knew of the parent is not of the child. */
void lg_start_forget(void);

#endif
