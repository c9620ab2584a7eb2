/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a second map, or process, with the same cache_dir asks for nothing but the version; whatever becomes of the cache's
 * files, of a process that writes them, or of the disk, every byte is the object's; other versions and other readers
 * have blocks of their own; the bound holds.
 * Oracle: bytes that follow from their place; the requests that the proxy counted; the directory's files.
 */
#include "remote/bytes.h"
#include "remote/servers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { BIG = 64 << 20, PART = 16 << 20 };

extern char **environ;

static const char *self;
static lg_pager *pager;

static const char *directory(void)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/../cache", server_value("WWW"));
	return path;
}

static const char *options(const char *more)
{
	static char text[400];

	snprintf(text, sizeof(text), "cache_dir:%s%s", directory(), more);
	return text;
}

/* By way of the proxy, which counts. */
static unsigned requests_of(const char *more, size_t bytes, bool backward)
{
	static char log[1 << 20];
	unsigned count = 0;

	server_faults("[]");
	lg_map *map = server_map(pager, "FAULTY", "/big", options(more));
	const char *data = lg_map_data(map);
	for (size_t i = 0; i < bytes; i += 256 * KIB) {
		size_t at = backward ? bytes - 256 * KIB - i : i;

		bytes_check(data + at, at, 256 * KIB, 0);
	}
	CLAIM(lg_map_close(map) == 0);
	server_log(log, sizeof(log));
	for (const char *at = log; (at = strstr(at, "\"method\"")) != NULL; at++)
		count++;
	return count;
}

static void run(const char *command)
{
	char text[600];

	snprintf(text, sizeof(text), "cd %s && %s", directory(), command);
	CLAIM(system(text) == 0);
}

static void empty_it(void)
{
	char text[400];

	snprintf(text, sizeof(text), "rm -rf %s", directory());
	CLAIM(system(text) == 0);
}

static uint64_t total(void)
{
	DIR *names = opendir(directory());
	const struct dirent *one;
	struct stat status;
	uint64_t bytes = 0;

	CLAIM(names != NULL);
	while ((one = readdir(names)) != NULL) {
		if (fstatat(dirfd(names), one->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(status.st_mode))
			continue;
		CLAIM((status.st_mode & 0777) == 0600);
		bytes += (uint64_t)status.st_blocks * 512;
	}
	closedir(names);
	return bytes;
}

static void a_warm_cache_asks_for_the_version_only(void)
{
	unsigned cold = requests_of("", BIG, false);

	fprintf(stderr, "%u requests cold\n", cold);
	CLAIM(cold >= 2);
	for (int i = 0; i < 2; i++)
		CLAIM(requests_of("", BIG, i == 1) == 1);
	CLAIM(requests_of(",page:64K", PART, false) == 1);
	CLAIM(requests_of(",page:2M", PART, true) == 1);
	CLAIM(requests_of(",page:4K", PART, true) == 1);
	empty_it();
	/* Small pages bring whole blocks. */
	CLAIM(requests_of(",page:4K,prefetch:off", 4 * MIB, false) <= 16);
	CLAIM(requests_of(",page:4K,prefetch:off", 4 * MIB, false) == 1);
}

static void spoiled_files_are_fetched_again(void)
{
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	run("for f in [0-9a-f]*; do printf spoiled | dd of=$f bs=1 seek=70000 conv=notrunc 2>/dev/null; done");
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(requests_of(",prefetch:off", PART, false) == 1);
	run("for f in [0-4]*; do rm $f; done; for f in [5-9]*; do ln -sf /etc/passwd $f; done;"
	    "for f in [a-f]*; do truncate -s 1000 $f; done");
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(requests_of(",prefetch:off", PART, false) == 1);
	empty_it();
}

/* Another process, as this one is started with "read". */
static pid_t start_reader(void)
{
	char *const arguments[] = { (char *)(uintptr_t)self, (char *)(uintptr_t) "read", NULL };
	pid_t child;

	CLAIM(posix_spawn(&child, self, NULL, NULL, arguments, environ) == 0);
	return child;
}

static void read_all(void)
{
	lg_map *map = server_map(pager, "PLAIN", "/big", options(",cache_bytes:24M"));

	bytes_check(lg_map_data(map), 0, BIG, 0);
	CLAIM(lg_map_close(map) == 0);
}

static void processes_share_it_and_may_be_killed(void)
{
	int status;

	for (int i = 0; i < 8; i++) {
		pid_t one = start_reader(), other = start_reader();

		for (int j = 0; j < 3 + 5 * i; j++) { /* some way into it, by the files there are */
			uint64_t before = access(directory(), F_OK) == 0 ? total() : 0;

			/* Files come and go while they are counted. */
			CLAIM(before <= 28 * MIB);
			usleep(2000);
		}
		CLAIM(kill(one, SIGKILL) == 0);
		CLAIM(waitpid(one, &status, 0) == one);
		if (i % 2 == 0)
			CLAIM(kill(other, SIGKILL) == 0);
		CLAIM(waitpid(other, &status, 0) == other);
		CLAIM(i % 2 == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
		CLAIM(access(directory(), F_OK) != 0 || total() <= 24 * MIB);
	}
	read_all();
	CLAIM(total() <= 24 * MIB);
	empty_it();
}

static void a_deleted_directory_harms_nobody(void)
{
	server_faults("[]");
	lg_map *map = server_map(pager, "FAULTY", "/big", options(",prefetch:off"));
	const char *data = lg_map_data(map);

	bytes_check(data, 0, 4 * MIB, 0);
	empty_it();
	bytes_check(data + 4 * MIB, 4 * MIB, 4 * MIB, 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(requests_of(",prefetch:off", PART, false) == 1);
	empty_it();
}

static void versions_are_kept_apart(void)
{
	char path[300], other[300];

	snprintf(path, sizeof(path), "%s/cached", server_value("WWW"));
	snprintf(other, sizeof(other), "%s/next", server_value("WWW"));
	for (unsigned version = 1; version <= 3; version++) {
		struct timespec times[2] = { { .tv_sec = 1000 + version },
					     { .tv_sec = 1000 + version } };

		bytes_make(other, 4 * MIB, version);
		CLAIM(utimensat(AT_FDCWD, other, times, 0) == 0);
		CLAIM(rename(other, path) == 0);
		for (int i = 0; i < 2; i++) {
			lg_map *map = server_map(pager, "PLAIN", "/cached", options(""));

			bytes_check(lg_map_data(map), 0, 4 * MIB, version);
			CLAIM(lg_map_close(map) == 0);
		}
	}
	/* And where a map goes on with the next one. */
	lg_map *map =
		server_map(pager, "PLAIN", "/cached", options(",on_change:refetch,prefetch:off"));
	const char *data = lg_map_data(map);
	bytes_check(data, 0, MIB, 3);
	run("rm -f [0-9a-f]*"); /* or nobody would ask the server */
	struct timespec times[2] = { { .tv_sec = 2000 }, { .tv_sec = 2000 } };
	bytes_make(other, 4 * MIB, 4);
	CLAIM(utimensat(AT_FDCWD, other, times, 0) == 0);
	CLAIM(rename(other, path) == 0);
	bytes_check(data + 3 * MIB, 3 * MIB, 64, 4);
	bytes_check(data, 0, 4 * MIB, 4);
	CLAIM(lg_map_changes(map) == 1);
	CLAIM(lg_map_close(map) == 0);
	empty_it();
}

/* What the disk refuses is not kept, and all is read all the same. */
static void full_and_read_only_disks_are_no_error(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		fprintf(stderr, "without mounts: full and read-only disks are not tried\n");
		return;
	}
	CLAIM(mkdir(directory(), 0700) == 0);
	CLAIM(mount("cache", directory(), "tmpfs", MS_NOSUID, "size=1500k,mode=700") == 0);
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(mount("cache", directory(), "tmpfs", MS_REMOUNT, "size=64m,mode=700") == 0);
	CLAIM(requests_of(",prefetch:off", PART, false) >= 2);
	CLAIM(requests_of(",prefetch:off", PART, false) == 1);
	CLAIM(mount("cache", directory(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64m,mode=700") ==
	      0);
	CLAIM(requests_of(",prefetch:off", PART, false) == 1);
	CLAIM(requests_of(",prefetch:off", 2 * PART, false) >= 2);
	CLAIM(umount(directory()) == 0);
	CLAIM(rmdir(directory()) == 0);
}

static void what_is_no_directory_of_ours_is_refused(void)
{
	char path[300], text[400];

	snprintf(path, sizeof(path), "%s/../link", server_value("WWW"));
	CLAIM(symlink("www", path) == 0);
	snprintf(text, sizeof(text), "cache_dir:%s", path);
	server_refuses(pager, server_url("PLAIN", "/odd"), text, ENOTDIR);
	CLAIM(unlink(path) == 0);
	server_refuses(pager, server_url("PLAIN", "/odd"), "cache_dir:/tmp", EACCES);
	server_refuses(pager, server_url("PLAIN", "/odd"), "cache_dir:/nonexistent/below", ENOENT);
	server_refuses(pager, server_url("PLAIN", "/odd"), "cache_dir:/etc/passwd", ENOTDIR);
	server_refuses(pager, server_url("PLAIN", "/odd"), "cache_bytes:1", EINVAL);
}

int main(int argc, char **argv)
{
	if (bytes_were_made(argc, argv))
		return 0;
	self = argv[0];
	pager = lg_pager_new("memory:32M");
	CLAIM(pager != NULL);
	if (argc == 2 && strcmp(argv[1], "read") == 0) {
		read_all();
		return 0;
	}
	a_warm_cache_asks_for_the_version_only();
	empty_it();
	spoiled_files_are_fetched_again();
	processes_share_it_and_may_be_killed();
	a_deleted_directory_harms_nobody();
	versions_are_kept_apart();
	what_is_no_directory_of_ours_is_refused();
	full_and_read_only_disks_are_no_error();
	CLAIM(lg_pager_free(pager) == 0);
	return 0;
}
