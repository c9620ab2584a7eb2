/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Child processes of tests. */
#ifndef STRESS_PROCESS_H
#define STRESS_PROCESS_H

#include "stress/claim.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing that was printed before comes out twice. */
static inline pid_t process_fork(void)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	CLAIM(child >= 0);
	return child;
}

/* The child's wait status. */
static inline int process_wait(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		CLAIM(errno == EINTR);
	return status;
}

/* How many descriptors or threads the process has: entries of a directory of /proc/self, "." and ".." among them. */
static inline unsigned process_count(const char *path)
{
	DIR *entries = opendir(path);
	unsigned count = 0;

	CLAIM(entries != NULL);
	while (readdir(entries) != NULL)
		count++;
	closedir(entries);
	return count;
}

#endif
