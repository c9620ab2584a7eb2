/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A server of one object: nginx on 127.0.0.1, in a directory of its own, that lets each request wait for `delay_ms` before
 * it answers. It is as much of S3 as reading takes, and looks at no signature.
 *
 * Word i of the object, of 8 bytes, is i times a constant, so that whoever reads can tell that all of it came.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
	size_t bytes;
	int port;
	pid_t process;
	pid_t keeper;                  /* removes the directory, however we end */
	int alive;                     /* a pipe that says so */
	char directory[PATH_MAX - 64]; /* others may put files there */
};

/* Ready to answer. The workload is skipped where there is no nginx, or, with a delay, none of its module `echo`. */
void server_start(struct server *server, size_t bytes, size_t delay_ms);
void server_end(struct server *server);

/* http://127.0.0.1:PORT; the object is /bucket/big there. */
void server_url(const struct server *server, char text[64]);

/* What the words of this range are together, both multiples of 8. */
uint64_t server_sum(size_t offset, size_t length);

/* The same of memory. */
uint64_t server_sum_of(const void *bytes, size_t length);

#endif
