/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Programs that a workload starts beside itself: they end with it, also if it is killed. */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

enum { CHILD_WORDS = 24 };

/* The program of $PATH or /usr/sbin. What it prints goes to the file `log`. The workload fails if it cannot be started. */
pid_t child_start(char *const words[], const char *log);

/* By SIGTERM, which all of them take for "unmount and end". */
void child_end(pid_t child);

bool child_ended(pid_t child);

/* Whether there is such a program. */
bool child_can_start(const char *program);

#endif
