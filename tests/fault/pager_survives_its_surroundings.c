/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: what a program does to itself while it has maps is an answer or does no harm: too little address
 * space, exit with open maps, a second process on the file.
 * Method: a child for each.
 * Oracle: wait statuses, errno and words, contents.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <fcntl.h>

#define MIB ((size_t)1 << 20)

static char path[] = "/var/tmp/lgalloc-test.XXXXXX";

static char *fill(lg_map *map)
{
	char *data = lg_map_data(map);

	for (size_t i = 0; i < lg_map_size(map); i += 4096)
		data[i] = (char)(i >> 12);
	return data;
}

static void claim_filled(lg_map *map)
{
	const char *data = lg_map_data(map);

	for (size_t i = 0; i < lg_map_size(map); i += 4096)
		CLAIM(data[i] == (char)(i >> 12));
}

static void little_address_space(void *unused)
{
	struct rlimit limit = { 512 * MIB, 512 * MIB };

	(void)unused;
	CLAIM(setrlimit(RLIMIT_AS, &limit) == 0);
	for (unsigned i = 0; i < 20; i++) { /* nothing is left behind by what fails */
		lg_pager *pager = lg_pager_new("memory:1M");
		lg_map *map = pager != NULL ? lg_map_memory(pager, MIB, NULL) : NULL;

		if (map == NULL) {
			CLAIM(errno == ENOMEM);
			CLAIM(lg_error()[0] != '\0');
		} else {
			fill(map);
			claim_filled(map);
			CLAIM(lg_map_close(map) == 0);
		}
		CLAIM(lg_pager_free(pager) == 0);
	}
	limit = (struct rlimit){ 16 * MIB, 512 * MIB };
	CLAIM(setrlimit(RLIMIT_AS, &limit) == 0);
	CLAIM(lg_pager_new("memory:1M") == NULL);
	CLAIM(errno == ENOMEM);
}

static void exit_with_open_maps(void *options)
{
	lg_pager *pager = lg_pager_new(options);
	lg_map *map;

	if (pager == NULL && errno == EPERM)
		return;
	map = lg_map_file(pager, path, 6 * MIB, NULL);
	CLAIM(map != NULL);
	fill(map);
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	fill(map);
	exit(EXIT_SUCCESS);
}

static void claim_synced_file(void *unused)
{
	lg_pager *pager = lg_pager_new("memory:1M");
	lg_map *map = lg_map_file(pager, path, 0, "readonly:on");

	(void)unused;
	CLAIM(map != NULL);
	CLAIM(lg_map_size(map) == 6 * MIB);
	claim_filled(map);
}

static void ask_for_the_same_file(void *unused)
{
	lg_pager *pager = lg_pager_new("memory:1M");

	(void)unused;
	CLAIM(pager != NULL);
	CLAIM(lg_map_file(pager, path, MIB, NULL) == NULL);
	CLAIM(errno == EBUSY);
	CLAIM(strstr(lg_error(), "process") != NULL);
	CLAIM(lg_pager_free(pager) == 0);
}

/* The other process is started anew: a fork of this one has its pager's records, too. */
static void two_processes(const char *program)
{
	lg_pager *pager = lg_pager_new("memory:1M");
	lg_map *map = lg_map_file(pager, path, MIB, NULL);

	CLAIM(map != NULL);
	pid_t child = process_fork();
	if (child == 0) {
		execl("/proc/self/exe", program, "other", path, (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	CLAIM(process_wait(child) == 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		CLAIM(strlen(argv[2]) < sizeof(path));
		strcpy(path, argv[2]);
		ask_for_the_same_file(NULL);
		return EXIT_SUCCESS;
	}
	int fd = mkstemp(path);
	CLAIM(fd >= 0);
	close(fd);
	child_claim("little address space", little_address_space, NULL);
	child_claim("exit", exit_with_open_maps, (void *)"memory:2M,page:16K,faults:inline");
	child_claim("after exit", claim_synced_file, NULL);
	child_claim("exit, with threads", exit_with_open_maps,
		    (void *)"memory:2M,page:16K,faults:threads");
	child_claim("after exit with threads", claim_synced_file, NULL);
	two_processes(argv[0]);
	CLAIM(unlink(path) == 0);
	return EXIT_SUCCESS;
}
