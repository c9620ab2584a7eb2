/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/report.h"

#include "runner/bar.h"
#include "runner/host.h"
#include "runner/load.h"
#include "runner/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : "unknown";
}

static void write_head(FILE *file, const struct suite *suite)
{
	char date[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &utc);
	fprintf(file, "# Measured\n\n");
	fprintf(file, "- command: `%s`\n- commit: %s\n- date: %s\n",
		environment("LGALLOC_BENCH_COMMAND"), environment("LGALLOC_BENCH_COMMIT"), date);
	host_write(file, "- ");
	load_write(file, "- ");
	fprintf(file, "- allocators:");
	for (int lane = 0; lane < LANES; lane++)
		if (allocator_used(lane) && !allocators[lane].swap && lane != LANE_TCACHE &&
		    strcmp(allocators[lane].program, "pager") != 0)
			fprintf(file, " %s %s%s;", allocators[lane].name, allocators[lane].version,
				allocators[lane].options ?
					allocators[lane].name + sizeof("lgalloc") - 1 :
					"");
	fprintf(file,
		"\n- median of %u runs, allocators in turn (A B A B), each workload a "
		"process of its own; one "
		"reading of the clock: %.0f ns\n",
		suite->repeat, allocator_clock_ns());
}

int report_write(const char *path, const struct suite *suite, const struct demo *demo)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -errno;
	write_head(file, suite);
	if (demo != NULL) {
		fprintf(file, "\n## More memory than there is\n\n");
		demo_write(file, demo, TABLE_MARKDOWN);
	}
	fprintf(file, "\n## The bars\n\n");
	bar_write(file, suite, TABLE_MARKDOWN);
	fprintf(file,
		"\n## Every row\n\n\"x jemalloc\" is how many times better than jemalloc in this run "
		"(with swap where it was killed without).\nWhat a row times: `bench/README.md`.\n");
	table_write(file, suite, TABLE_MARKDOWN);
	if (fclose(file) != 0)
		return -errno;
	return 0;
}
