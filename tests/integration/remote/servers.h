/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The servers that with_servers.sh started, and what is asked of them. */
#ifndef REMOTE_SERVERS_H
#define REMOTE_SERVERS_H

#include "stress/claim.h"

#include <lgalloc/pager.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline const char *server_value(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		SKIP("run by with_servers.sh, which sets %s", name);
	return value;
}

/* Its URL, in memory of the thread, good until the next but three. */
static inline const char *server_url(const char *server, const char *path)
{
	static _Thread_local char texts[4][256];
	static _Thread_local unsigned turn;
	char *text = texts[turn++ % 4];

	snprintf(text, sizeof(texts[0]), "%s%s", server_value(server), path);
	return text;
}

/* What the fault proxy says to a request of its own. */
static inline void server_talk(const char *request, char *answer, size_t capacity)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(server_value("FAULTY_PORT"))),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t length = 0;
	ssize_t got;

	CLAIM(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	CLAIM(write(fd, request, strlen(request)) == (ssize_t)strlen(request));
	while (length < capacity - 1 &&
	       (got = read(fd, answer + length, capacity - 1 - length)) > 0)
		length += (size_t)got;
	answer[length] = '\0';
	CLAIM(strncmp(answer, "HTTP/1.1 200", 12) == 0);
	close(fd);
}

/* Faults for the next requests, as fault_proxy.js has them. */
static inline void server_faults(const char *list)
{
	char request[4096], answer[1024];

	snprintf(
		request, sizeof(request),
		"POST /__faults HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(list), list);
	server_talk(request, answer, sizeof(answer));
}

/* What was asked of it since. */
static inline void server_log(char *log, size_t capacity)
{
	server_talk("GET /__log HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", log, capacity);
}

static inline lg_map *server_map(lg_pager *pager, const char *server, const char *path,
				 const char *options)
{
	lg_map *map = lg_map_url(pager, server_url(server, path), options);

	CLAIM(map != NULL);
	return map;
}

/* The call fails so, and says something. */
static inline void server_refuses(lg_pager *pager, const char *url, const char *options, int error)
{
	errno = 0;
	lg_map *map = lg_map_url(pager, url, options);

	CLAIM(map == NULL);
	if (errno != error)
		fprintf(stderr, "%s with %s: errno is %d, not %d\n", url, options, errno, error);
	CLAIM(errno == error);
	CLAIM(strlen(lg_error()) > 10);
}

#endif
