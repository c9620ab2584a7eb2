/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The server's object, by one of several ways: remote=lgalloc (a map), rclone or s3fs (a file of their mounts, with their
 * defaults, read by pread), curl (one download, and nothing else).
 */
#ifndef BENCH_OBJECT_H
#define BENCH_OBJECT_H

#include "remote/server.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <sys/types.h>

struct object {
	const struct server *server;
	lg_pager *pager; /* remote=lgalloc: the map is memory */
	lg_map *map;
	const char *bytes;
	pid_t mount; /* the others: a file */
	int fd;
	char path[PATH_MAX];
	char directory[PATH_MAX];
};

bool object_is(const char *remote);

/* Mounts, and makes the pager: what is there before anybody asks for the object. memory=64M */
void object_prepare(struct object *object, const struct server *server);
void object_end(struct object *object);

/* The object is asked for; nothing of it was before. */
void object_open(struct object *object);
void object_close(struct object *object);

/* What is touched next is chance. */
void object_expect_chance(const struct object *object);

/* Its bytes of this range, where they lie, or in the buffer. */
const void *object_look(const struct object *object, size_t offset, size_t length, void *buffer);

/* curl's own figures of a download of all: seconds in all, and to the first byte. */
void object_download(const struct server *server, double *seconds, double *first);

#endif
