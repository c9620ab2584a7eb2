/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/warm.h"

#include "runner/host.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

static void touch(uint64_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return;
	madvise(memory, bytes, MADV_HUGEPAGE); /* fewer faults; refused is as good */
	for (uint64_t offset = 0; offset < bytes; offset += PAGE_BYTES)
		*(volatile char *)(memory + offset) = 1;
}

void warm_memory(uint64_t bytes)
{
	uint64_t available = host_available_bytes();

	if (bytes > available / 2)
		bytes = available / 2;
	if (bytes == 0)
		return;
	fflush(NULL);
	pid_t child = fork(); /* its end frees it all, and its peak is not the workload's */
	if (child == 0) {
		touch(bytes);
		_exit(0);
	}
	if (child != -1)
		waitpid(child, NULL, 0);
}
