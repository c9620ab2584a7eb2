/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/allocator.h"

#include "runner/outcome.h"
#include "runner/process.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const jemalloc_names[] = { "libjemalloc.so.2", NULL };
static const char *const mimalloc_names[] = {
	"libmimalloc.so.2",
	"libmimalloc.so.2.0",
	"libmimalloc.so.3",
	NULL,
};
static const char *const tcmalloc_names[] = { "libtcmalloc_minimal.so.4", "libtcmalloc.so.4",
					      NULL };

/* Page tables, the pager's own tables, libraries and stacks. */
enum { SPARE_MIB = 48 };

struct allocator allocators[LANES] = {
	[LANE_FILE] = { .name = "lgalloc-file",
			.family = "lgalloc",
			.program = "regions",
			.options = true,
			.quick = true,
			.variable = "LGALLOC_CONF",
			.value = "backing:file" },
	[LANE_ANON] = { .name = "lgalloc-anon",
			.family = "lgalloc",
			.program = "regions",
			.options = true,
			.quick = true,
			.variable = "LGALLOC_CONF",
			.value = "backing:anon" },
	[LANE_JEMALLOC] = { .name = "jemalloc",
			    .family = "jemalloc",
			    .program = "malloc",
			    .quick = true,
			    .libraries = jemalloc_names },
	[LANE_TCACHE] = { .name = "jemalloc-tcache23",
			  .family = "jemalloc",
			  .program = "malloc",
			  .quick = true,
			  .variable = "MALLOC_CONF",
			  .value = "lg_tcache_max:23",
			  .libraries = jemalloc_names },
	[LANE_GLIBC] = { .name = "glibc", .family = "glibc", .program = "malloc" },
	[LANE_MIMALLOC] = { .name = "mimalloc",
			    .family = "mimalloc",
			    .program = "malloc",
			    .libraries = mimalloc_names },
	[LANE_TCMALLOC] = { .name = "tcmalloc",
			    .family = "tcmalloc",
			    .program = "malloc",
			    .libraries = tcmalloc_names },
	[LANE_ANON_SWAP] = { .name = "lgalloc-anon+swap",
			     .family = "lgalloc",
			     .program = "regions",
			     .options = true,
			     .swap = true,
			     .variable = "LGALLOC_CONF",
			     .value = "backing:anon" },
	[LANE_JEMALLOC_SWAP] = { .name = "jemalloc+swap",
				 .family = "jemalloc",
				 .program = "malloc",
				 .swap = true,
				 .quick = true,
				 .libraries = jemalloc_names },
	[LANE_PAGER] = { .name = "pager",
			 .family = "lgalloc",
			 .program = "pager",
			 .words = "space=pager",
			 .options = true,
			 .spare_mib = SPARE_MIB,
			 .quick = true },
	[LANE_PAGER_FILE] = { .name = "pager-file",
			      .family = "lgalloc",
			      .program = "pager",
			      .words = "space=pager-file",
			      .options = true,
			      .spare_mib = SPARE_MIB,
			      .quick = true },
	[LANE_SWAP] = { .name = "swap",
			.family = "lgalloc",
			.program = "pager",
			.words = "space=swap",
			.swap = true },
	[LANE_SWAP_HUGE] = { .name = "swap-huge",
			     .family = "lgalloc",
			     .program = "pager",
			     .words = "space=swap-huge",
			     .swap = true },
	[LANE_SHARED_FILE] = { .name = "shared-file",
			       .family = "lgalloc",
			       .program = "pager",
			       .words = "space=file",
			       .quick = true },
	[LANE_RANDOM_FILE] = { .name = "random-file",
			       .family = "lgalloc",
			       .program = "pager",
			       .words = "space=file-random" },
	[LANE_HEAP] = { .name = "heap",
			.family = "lgalloc",
			.program = "heap",
			.words = "heap=lgalloc",
			.options = true,
			.quick = true },
	[LANE_HEAP_SHARED] = { .name = "heap-shared",
			       .family = "lgalloc",
			       .program = "heap",
			       .words = "heap=lgalloc options=mode:shared" },
	[LANE_BOOST] = { .name = "boost",
			 .family = "boost",
			 .program = "heap",
			 .words = "heap=boost" },
	[LANE_PMEMOBJ] = { .name = "pmemobj",
			   .family = "pmemobj",
			   .program = "heap",
			   .words = "heap=pmemobj",
			   .variable = "PMEM_IS_PMEM_FORCE",
			   .value = "1" },
	[LANE_LMDB] = { .name = "lmdb", .family = "lmdb", .program = "heap", .words = "heap=lmdb" },
	[LANE_MSYNC] = { .name = "msync",
			 .family = "msync",
			 .program = "heap",
			 .words = "heap=msync" },
	[LANE_REMOTE] = { .name = "remote",
			  .family = "lgalloc",
			  .program = "remote",
			  .words = "remote=lgalloc",
			  .options = true,
			  .quick = true },
	[LANE_RCLONE] = { .name = "rclone",
			  .family = "rclone",
			  .program = "remote",
			  .words = "remote=rclone" },
	[LANE_S3FS] = { .name = "s3fs",
			.family = "s3fs",
			.program = "remote",
			.words = "remote=s3fs" },
	[LANE_CURL] = { .name = "curl",
			.family = "curl",
			.program = "remote",
			.words = "remote=curl",
			.quick = true },
};

static double clock_cost = (double)NAN;

double allocator_clock_ns(void)
{
	return clock_cost;
}

static bool in_directory(const char *directory, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX &&
	       access(path, R_OK) == 0;
}

/* The loader's own list: "name (kind) => path" a line. */
static bool in_loader_cache(const char *name, char path[PATH_MAX])
{
	char line[PATH_MAX];
	bool found = false;
	FILE *list = popen("(ldconfig -p || /sbin/ldconfig -p) 2>/dev/null", "re");

	while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
		char *word = line + strspn(line, " \t");
		char *arrow = strstr(word, "=> ");
		size_t length = strlen(name);
		if (found || arrow == NULL || strncmp(word, name, length) != 0 ||
		    word[length] != ' ')
			continue;
		arrow[strcspn(arrow, "\n")] = '\0';
		found = snprintf(path, PATH_MAX, "%s", arrow + 3) < PATH_MAX &&
			access(path, R_OK) == 0;
	}
	if (list != NULL)
		pclose(list);
	return found;
}

static bool find_library(const char *name, char path[PATH_MAX])
{
	static const char *const directories[] = {
		"/usr/local/lib",
		"/usr/lib/x86_64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
		"/usr/lib64",
		"/usr/lib",
	};

	if (in_loader_cache(name, path))
		return true;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (in_directory(directories[i], name, path))
			return true;
	path[0] = '\0';
	return false;
}

static void ask(struct allocator *allocator)
{
	struct outcome said = { .state = OUTCOME_NONE };
	struct process process = {
		.allocator = allocator,
		.workload = "about",
		.arguments = "",
		.timeout_s = 20,
	};

	process_run(&process, &said);
	/*
	 * LD_PRELOAD that fails is only a warning of the loader: believe the process, not the path.
	 */
	allocator->present = said.state == OUTCOME_OK &&
			     strcmp(said.allocator, allocator->family) == 0;
	memcpy(allocator->version, said.version, sizeof(allocator->version));
	if (allocator->present)
		clock_cost = outcome_median(&said, "clock");
	else if (allocator->options)
		fprintf(stderr, "lgalloc-bench: %s does not start: %s\n", allocator->name,
			said.reason);
}

void allocator_find(void)
{
	for (int lane = 0; lane < LANES; lane++) {
		struct allocator *allocator = &allocators[lane];
		const char *const *name = allocator->libraries;
		while (name != NULL && *name != NULL && !find_library(*name, allocator->path))
			name++;
		if (name == NULL || *name != NULL)
			ask(allocator);
	}
}

bool allocator_want(const char *list, const char **bad)
{
	static char copy[512];

	snprintf(copy, sizeof(copy), "%s", list);
	for (char *name = strtok(copy, ","); name != NULL; name = strtok(NULL, ",")) {
		bool known = false;
		for (int lane = 0; lane < LANES; lane++)
			if (strcmp(allocators[lane].name, name) == 0)
				known = allocators[lane].wanted = true;
		*bad = name;
		if (!known)
			return false;
	}
	return true;
}

void allocator_want_default(bool quick)
{
	for (int lane = 0; lane < LANES; lane++)
		allocators[lane].wanted = !quick || allocators[lane].quick;
}
