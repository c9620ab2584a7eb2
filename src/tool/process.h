/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A process that writes a metrics file, seen from outside: by /proc, and by the options it was started
 * with. What it set later with lg_configure cannot be seen.
 */
#ifndef LG_TOOL_PROCESS_H
#define LG_TOOL_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lg_process {
	pid_t pid;           /* as it is called here */
	uint64_t start_time; /* tells it from a later one with the same id */
	uint64_t interval_ms;
	char name[32];                   /* what is printable of it */
	char metrics_file[2 * PATH_MAX]; /* as it is reached from here */
};

/*
 * The process and the file its environment names: %p is its id in its own namespace, a relative path
 * begins where it is now, an absolute one in its root. 0, or -errno with lg_error(): -ESRCH there is no
 * such process, -ENOENT it names no metrics file, -EINVAL its options are not understood.
 */
int lg_process_find(pid_t pid, struct lg_process *process);

/*
 * The first process that writes this file: it names it and has a worker. Only those are seen that may be
 * looked at, the user's own. False: there is none.
 */
bool lg_process_find_writer(const char *metrics_file, struct lg_process *process);

/* Calls `show` for each process that writes a metrics file and may be looked at. */
void lg_process_each(void (*show)(const struct lg_process *process));

bool lg_process_is_alive(const struct lg_process *process);

/* In RAM, of the process as a whole; 0: not known. */
uint64_t lg_process_resident_bytes(const struct lg_process *process);

/* Replaces what a terminal would obey, as a process may be called anything. */
void lg_process_make_printable(char *text);

#endif
