/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/server.h"

#include "remote/child.h"
#include "workload/clock.h"
#include "workload/result.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define MODULE "/usr/lib/nginx/modules/ngx_http_echo_module.so"

enum { START_MS = 10000, END_MS = 10000, STEP_MS = 5 };

uint64_t server_sum(size_t offset, size_t length)
{
	uint64_t first = offset / 8, count = length / 8;

	/* Of count and the last word's number plus one, the even one is halved: the product may wrap, not the half. */
	uint64_t numbers = count * first +
			   (count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count);
	return numbers * FACTOR;
}

uint64_t server_sum_of(const void *bytes, size_t length)
{
	const uint64_t *words = bytes;
	uint64_t sum = 0;

	for (size_t i = 0; i < length / 8; i++)
		sum += words[i];
	return sum;
}

static void write_file(const struct server *server, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", server->directory, name);
	FILE *file = fopen(path, "we");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		result_fail("%s: %s", path, strerror(errno));
}

static void write_object(const struct server *server)
{
	static uint64_t words[1 << 15];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/www/bucket/big", server->directory);
	FILE *file = fopen(path, "we");
	if (file == NULL)
		result_fail("%s: %s", path, strerror(errno));
	for (size_t done = 0; done < server->bytes; done += sizeof(words)) {
		for (size_t i = 0; i < sizeof(words) / 8; i++)
			words[i] = (done / 8 + i) * FACTOR;
		if (fwrite(words, sizeof(words), 1, file) != 1)
			result_skip("%s: %s", path, strerror(errno));
	}
	if (fclose(file) != 0)
		result_skip("%s: %s", path, strerror(errno));
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = connect(fd, (struct sockaddr *)&to, sizeof(to));

	close(fd);
	return error;
}

/* One that is free now. */
static int find_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) != 0)
		result_fail("no port: %s", strerror(errno));
	close(fd);
	return ntohs(at.sin_port);
}

static void configure(const struct server *server, size_t delay_ms)
{
	char text[4096], wait[64] = "";

	if (delay_ms > 0)
		snprintf(wait, sizeof(wait), "echo_sleep %zu.%03zu; echo_exec", delay_ms / 1000,
			 delay_ms % 1000);
	snprintf(text, sizeof(text),
		 "%s%sdaemon off; master_process off; pid nginx.pid; error_log error.log;\n"
		 "events { worker_connections 512; }\n"
		 "http {\n"
		 "access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n"
		 "client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
		 "uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
		 "default_type application/octet-stream; root www;\n"
		 "server { listen 127.0.0.1:%d;\n"
		 "location ~ ^/bucket/?$ { %s @list; }\n"
		 "location / { %s @file; }\n"
		 "location @file { }\n"
		 "location @list { default_type application/xml; return 200 '"
		 "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>bucket</Name>"
		 "<IsTruncated>false</IsTruncated><Contents><Key>big</Key><LastModified>"
		 "2020-01-01T00:00:00.000Z</LastModified><ETag>\"big\"</ETag><Size>%zu</Size>"
		 "<StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>'; }\n"
		 "} }\n",
		 geteuid() == 0 ? "user root;\n" : "",
		 delay_ms > 0 ? "load_module " MODULE ";\n" : "", server->port,
		 delay_ms > 0 ? wait : "try_files /none", delay_ms > 0 ? wait : "try_files $uri",
		 server->bytes);
	write_file(server, "nginx.conf", text);
}

static void make_directories(struct server *server)
{
	const char *scratch = getenv("TMPDIR");
	char path[PATH_MAX];

	snprintf(server->directory, sizeof(server->directory), "%s/lgalloc-bench-XXXXXX",
		 scratch != NULL && scratch[0] != '\0' ? scratch : "/var/tmp");
	if (mkdtemp(server->directory) == NULL)
		result_skip("%s: %s", server->directory, strerror(errno));
	static const char *const names[] = { "www", "www/bucket", "tmp" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", server->directory, names[i]);
		if (mkdir(path, 0755) != 0)
			result_skip("%s: %s", path, strerror(errno));
	}
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

/* What is left of it, mounts that are about to go among it. */
static void remove_all(const char *directory)
{
	for (unsigned ms = 0; ms < END_MS && access(directory, F_OK) == 0; ms += STEP_MS) {
		nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
		clock_rest(STEP_MS * 1000000u);
	}
}

static _Noreturn void keep(const char *directory, int alive)
{
	char nothing;

	dup2(alive, STDIN_FILENO);
	close_range(STDIN_FILENO + 1, UINT_MAX,
		    0); /* the runner waits until its pipes are closed */
	setsid();
	while (read(STDIN_FILENO, &nothing, 1) == -1 && errno == EINTR)
		;
	remove_all(directory);
	_exit(0);
}

static void start_keeper(struct server *server)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0 || (server->keeper = fork()) == -1)
		result_fail("a process that cleans up: %s", strerror(errno));
	if (server->keeper == 0) {
		close(ends[1]);
		keep(server->directory, ends[0]);
	}
	close(ends[0]);
	server->alive = ends[1];
}

void server_start(struct server *server, size_t bytes, size_t delay_ms)
{
	char configuration[PATH_MAX], prefix[PATH_MAX], log[PATH_MAX];

	if (!child_can_start("nginx"))
		result_skip("nginx is not installed (Debian's nginx-light)");
	if (delay_ms > 0 && access(MODULE, R_OK) != 0)
		result_skip("nginx cannot wait: %s is not there (libnginx-mod-http-echo)", MODULE);
	*server = (struct server){ .bytes = bytes, .port = find_port() };
	make_directories(server);
	start_keeper(server);
	write_object(server);
	configure(server, delay_ms);
	snprintf(configuration, sizeof(configuration), "%s/nginx.conf", server->directory);
	snprintf(prefix, sizeof(prefix), "%s/", server->directory);
	snprintf(log, sizeof(log), "%s/log", server->directory);
	char name[] = "nginx", p[] = "-p", c[] = "-c";
	char *const words[] = { name, p, prefix, c, configuration, NULL };
	server->process = child_start(words, log);
	for (unsigned ms = 0; connect_to(server->port) != 0; ms += STEP_MS) {
		if (ms > START_MS || child_ended(server->process))
			result_fail("nginx does not answer on port %d", server->port);
		clock_rest(STEP_MS * 1000000u);
	}
}

void server_end(struct server *server)
{
	child_end(server->process);
	close(server->alive);
	waitpid(server->keeper, NULL, 0);
}

void server_url(const struct server *server, char text[64])
{
	snprintf(text, 64, "http://127.0.0.1:%d", server->port);
}
