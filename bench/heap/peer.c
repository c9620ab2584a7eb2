/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/peer.h"

#include "workload/argument.h"
#include "workload/memory.h"
#include "workload/result.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	const char *(*version)(void);
	void (*open)(struct block_calls *calls, const char *path);
} peers[] = {
	{ "lgalloc", peer_version_lgalloc, peer_open_lgalloc },
#ifdef BENCH_BOOST
	{ "boost", peer_version_boost, peer_open_boost },
#endif
#ifdef BENCH_PMEMOBJ
	{ "pmemobj", peer_version_pmemobj, peer_open_pmemobj },
#endif
#ifdef BENCH_LMDB
	{ "lmdb", peer_version_lmdb, NULL },
#endif
	{ "msync", peer_version_lgalloc, NULL },
};

struct block_calls block_calls;

bool peer_is(const char *name)
{
	return strcmp(argument_text("heap", "lgalloc"), name) == 0;
}

void peer_path(char path[PATH_MAX], const char *suffix)
{
	const char *directory = getenv("TMPDIR");

	if (directory == NULL || directory[0] == '\0')
		directory = "/var/tmp";
	if (snprintf(path, PATH_MAX, "%s/lgalloc-bench-%d.%s", directory, (int)getpid(), suffix) >=
	    PATH_MAX)
		result_fail("TMPDIR is too long");
	unlink(path);
}

const char *peer_options(const char *first)
{
	static char options[512];
	const char *more = argument_text("options", "");

	snprintf(options, sizeof(options), "%s%s%s", first,
		 first[0] != '\0' && more[0] != '\0' ? "," : "", more);
	return options;
}

static size_t chosen(void)
{
	size_t count = sizeof(peers) / sizeof(peers[0]);

	for (size_t i = 0; i < count; i++)
		if (peer_is(peers[i].name))
			return i;
	result_skip("heap=%s: not known, or its package was not there at the build",
		    argument_text("heap", ""));
}

static void open_chosen(void)
{
	size_t peer = chosen();
	char path[PATH_MAX];

	if (peers[peer].open == NULL)
		result_skip("heap=%s has no allocator", peers[peer].name);
	peer_path(path, "heap");
	peers[peer].open(&block_calls, path);
	unlink(path);
}

/* Workloads that make their own files take nothing through here, and no heap is made for them. */
static block *open_and_take(size_t bytes)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_chosen);
	return block_calls.take(bytes);
}

void block_calls_init(void)
{
	block_calls.take = open_and_take;
}

block *block_take(size_t bytes)
{
	block *taken = block_calls.take(bytes);

	if (taken == NULL)
		result_fail("no block of %zu bytes: %s", bytes, strerror(errno));
	return taken;
}

void memory_report_allocator(void)
{
	size_t peer = chosen();

	result_text("allocator", peers[peer].name);
	result_text("version", peers[peer].version());
}
