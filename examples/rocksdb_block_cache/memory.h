/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says of this process. */
#ifndef ROCKSDB_BLOCK_CACHE_MEMORY_H
#define ROCKSDB_BLOCK_CACHE_MEMORY_H

#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

inline double resident_mib()
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file == nullptr || fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	if (file != nullptr)
		fclose(file);
	return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

inline double resident_mib_max()
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return static_cast<double>(usage.ru_maxrss) / 1024;
}

inline double processor_seconds()
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

#endif
