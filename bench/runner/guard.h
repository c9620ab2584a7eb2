/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The guard: a child process that undoes what outlives us — cgroups and swap files — when the
 * runner ends, in whatever way. It waits for the end of a pipe that only the runner holds open, so
 * SIGKILL is no different from a return of main. What was undone already is no error.
 */
#ifndef BENCH_GUARD_H
#define BENCH_GUARD_H

#include <stdbool.h>

/* To be called before the thing is made. False: no guard could be had; then do not make it. */
bool guard_cgroup(const char *path);
bool guard_swap(const char *path);

/* Ends the guard and waits for it. Called by exit() too. */
void guard_end(void);

/* The undoing itself, for those who need it earlier. */
bool guard_undo_cgroup(const char *path);
bool guard_undo_swap(const char *path);

#endif
