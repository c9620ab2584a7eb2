/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The metrics file: at its path there is nothing or a whole text, whoever is killed when.
 *
 * The text is written to one temporary name, the path and ".tmp", under a lock the kernel drops when the
 * process dies, and renamed over. So a process that was killed leaves at most one temporary, which the
 * next that writes the path takes over; and of two processes that write one path by mistake one has
 * -EBUSY, and nobody renames a text that another is writing.
 */
#ifndef LG_METRICS_FILE_H
#define LG_METRICS_FILE_H

#include <stdbool.h>

#define LG_METRICS_TEMPORARY ".tmp"

enum { LG_METRICS_PATH_BYTES = 4096 + 64 };

/*
 * Writes the file. `label`: what its samples say of `process`. `goes_with_process`: it is removed at exit, or
 * when another path takes its place. One thread only. 0 or -errno; after a failure the old file stays.
 */
int lg_metrics_file_write(const char *path, const char *label, bool goes_with_process);

/* Removes what goes with the process, if there is any. The same thread only. */
void lg_metrics_file_remove(void);

/* At load, and in the child of a fork: this process has no file. */
void lg_metrics_file_forget(void);

#endif
