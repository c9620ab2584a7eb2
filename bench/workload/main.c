/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * One workload with one allocator, in a process of its own: NAME [key=number …].
 *
 * Around every workload, warm-up included, page faults are counted.
 */
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/memory.h"
#include "workload/result.h"
#include "workload/table.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
	const char *name;
	const char *arguments;
	void (*run)(void);
} workloads[] = {
#define WORKLOAD(name, arguments) { #name, arguments, workload_##name },
	BENCH_WORKLOADS(WORKLOAD)
#undef WORKLOAD
};

/*
 * Which allocator this process really has (a preload that failed is only a warning), and the clock.
 */
void workload_about(void)
{
	enum { READINGS = 100000 };
	uint64_t begin = clock_ns();

	for (int i = 0; i < READINGS; i++)
		clock_ns();
	result_value("clock", (double)(clock_ns() - begin) / READINGS);
	memory_report_allocator();
}

int main(int argc, char **argv)
{
	struct rusage before, after;

	for (size_t i = 0; argc > 1 && i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (strcmp(workloads[i].name, argv[1]) != 0)
			continue;
		result_open();
		argument_open(argv[1], workloads[i].arguments, argc - 2, argv + 2);
		block_calls_init();
		getrusage(RUSAGE_SELF, &before);
		workloads[i].run();
		getrusage(RUSAGE_SELF, &after);
		result_value("minor", (double)(after.ru_minflt - before.ru_minflt));
		result_value("major", (double)(after.ru_majflt - before.ru_majflt));
		return 0;
	}
	fprintf(stderr, "usage: %s WORKLOAD [key=number ...]\n", argv[0]);
	return 2;
}
