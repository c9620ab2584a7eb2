/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/object.h"

#include "remote/child.h"
#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/memory.h"
#include "workload/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOUNT_MS = 20000, STEP_MS = 5 };

static const char *const remotes[] = { "lgalloc", "rclone", "s3fs", "curl" };

bool object_is(const char *remote)
{
	return strcmp(argument_text("remote", "lgalloc"), remote) == 0;
}

/* No blocks are taken here. */
struct block_calls block_calls;

void block_calls_init(void)
{
}

/* The workload is skipped where the way is not here. */
static void require(void)
{
	const char *remote = argument_text("remote", "lgalloc");
	bool known = false;

	for (size_t i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++)
		known = known || strcmp(remotes[i], remote) == 0;
	if (!known)
		result_skip("remote=%s: not known", remote);
	if (object_is("lgalloc"))
		return;
	if (!child_can_start(remote))
		result_skip("%s is not installed", remote);
	if (!object_is("curl") && access("/dev/fuse", R_OK | W_OK) != 0)
		result_skip("%s needs /dev/fuse: %s", remote, strerror(errno));
}

/* A line of what the program says of itself. */
static void version_of(const char *remote, char text[64])
{
	char command[64];

	snprintf(command, sizeof(command), "%s --version 2>/dev/null", remote);
	FILE *said = popen(command, "re");
	if (said == NULL || fgets(text, 64, said) == NULL)
		snprintf(text, 64, "unknown");
	if (said != NULL)
		pclose(said);
	text[strcspn(text, "\n")] = '\0';
}

void memory_report_allocator(void)
{
	const char *remote = argument_text("remote", "lgalloc");
	char version[64];

	require();
	result_text("allocator", remote);
	if (object_is("lgalloc"))
		snprintf(version, sizeof(version), "%s", lg_version());
	else
		version_of(remote, version);
	result_text("version", version);
}

static void make_pager(struct object *object)
{
	const char *more = argument_text("options", "");
	char options[512];

	snprintf(options, sizeof(options), "memory:%zu%s%s", argument_size("memory", 64 << 20),
		 more[0] != '\0' ? "," : "", more);
	object->pager = lg_pager_new(options);
	if (object->pager == NULL)
		result_skip("%s", lg_error());
	/* libcurl is loaded, as the mounts' programs have loaded theirs: nobody answers there. */
	if (lg_map_url(object->pager, "http://127.0.0.1:1/", "deadline:100ms") == NULL &&
	    errno == ENOSYS)
		result_skip("%s", lg_error());
}

static void start_mount(struct object *object, const char *log)
{
	char url[64], option[128], remote[256], file[PATH_MAX], secret[PATH_MAX + 16];
	char *words[CHILD_WORDS] = { NULL };
	char rclone[] = "rclone", mount[] = "mount", readonly[] = "--read-only", s3fs[] = "s3fs",
	     bucket[] = "bucket", foreground[] = "-f", o[] = "-o",
	     path_style[] = "use_path_request_style", ro[] = "ro";

	server_url(object->server, url);
	if (object_is("rclone")) {
		snprintf(remote, sizeof(remote),
			 ":s3,provider=Other,endpoint=\"%s\",access_key_id=AKID,"
			 "secret_access_key=secret,force_path_style=true:bucket",
			 url);
		char *const all[] = { rclone, mount, remote, object->directory, readonly };
		memcpy(words, all, sizeof(all));
	} else {
		snprintf(file, sizeof(file), "%s/password", object->server->directory);
		int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || dprintf(fd, "AKID:secret\n") < 0 || close(fd) != 0)
			result_fail("%s: %s", file, strerror(errno));
		snprintf(option, sizeof(option), "url=%s", url);
		snprintf(secret, sizeof(secret), "passwd_file=%s", file);
		char *const all[] = { s3fs,   bucket, object->directory, foreground, o,
				      option, o,      path_style,        o,          secret,
				      o,      ro };
		memcpy(words, all, sizeof(all));
	}
	object->mount = child_start(words, log);
}

/* Until what is there is another device than its parent. */
static void await_mount(const struct object *object)
{
	struct stat above, there;

	for (unsigned ms = 0;; ms += STEP_MS) {
		if (stat(object->server->directory, &above) == 0 &&
		    stat(object->directory, &there) == 0 && above.st_dev != there.st_dev)
			return;
		if (ms > MOUNT_MS || child_ended(object->mount))
			result_fail("%s mounts nothing", argument_text("remote", ""));
		clock_rest(STEP_MS * 1000000u);
	}
}

void object_prepare(struct object *object, const struct server *server)
{
	char log[PATH_MAX];

	require();
	*object = (struct object){ .server = server, .fd = -1 };
	if (object_is("lgalloc")) {
		make_pager(object);
		return;
	}
	snprintf(object->directory, sizeof(object->directory), "%s/mount", server->directory);
	if (mkdir(object->directory, 0755) != 0)
		result_fail("%s: %s", object->directory, strerror(errno));
	snprintf(object->path, sizeof(object->path), "%s/mount/big", server->directory);
	snprintf(log, sizeof(log), "%s/mount.log", server->directory);
	start_mount(object, log);
	await_mount(object);
}

void object_end(struct object *object)
{
	if (object->pager != NULL)
		(void)lg_pager_free(object->pager);
	else
		child_end(object->mount);
}

void object_open(struct object *object)
{
	char url[96], options[128], server[64];

	if (object->pager == NULL) {
		object->fd = open(object->path, O_RDONLY | O_CLOEXEC);
		if (object->fd < 0)
			result_fail("%s: %s", object->path, strerror(errno));
		return;
	}
	server_url(object->server, server);
	snprintf(url, sizeof(url), "%s/bucket/big", server);
	snprintf(options, sizeof(options), "endpoint:%s,access_key:AKID,secret_key:secret", server);
	bool plain = strcmp(argument_text("url", "s3"), "http") == 0;
	object->map =
		lg_map_url(object->pager, plain ? url : "s3://bucket/big", plain ? NULL : options);
	if (object->map == NULL)
		result_fail("%s", lg_error());
	object->bytes = lg_map_data(object->map);
}

void object_expect_chance(const struct object *object)
{
	int error = object->pager == NULL ? posix_fadvise(object->fd, 0, 0, POSIX_FADV_RANDOM) :
					    lg_map_advise(object->map, 0, 0, LG_RANDOM);

	if (error != 0)
		result_fail("the advice is refused: %s", strerror(error < 0 ? -error : error));
}

void object_close(struct object *object)
{
	if (object->pager == NULL)
		close(object->fd);
	else if (lg_map_close(object->map) != 0)
		result_fail("%s", lg_error());
}

const void *object_look(const struct object *object, size_t offset, size_t length, void *buffer)
{
	if (object->pager != NULL)
		return object->bytes + offset;
	for (size_t done = 0; done < length;) {
		ssize_t got = pread(object->fd, (char *)buffer + done, length - done,
				    (off_t)(offset + done));
		if (got <= 0)
			result_fail("%s: %s", object->path,
				    got == 0 ? "it ends early" : strerror(errno));
		done += (size_t)got;
	}
	return buffer;
}

void object_download(const struct server *server, double *seconds, double *first)
{
	char url[96], log[PATH_MAX];
	char curl[] = "curl", silent[] = "-sfo", null[] = "/dev/null", w[] = "-w",
	     format[] = "%{time_total} %{time_starttransfer}\n";

	require();
	server_url(server, url);
	strcat(url, "/bucket/big");
	snprintf(log, sizeof(log), "%s/curl.log", server->directory);
	char *const words[] = { curl, silent, null, w, format, url, NULL };
	pid_t child = child_start(words, log);
	int status = 0;
	waitpid(child, &status, 0);
	FILE *said = fopen(log, "re");
	if (status != 0 || said == NULL || fscanf(said, "%lf %lf", seconds, first) != 2)
		result_fail("curl does not read %s", url);
	fclose(said);
}
