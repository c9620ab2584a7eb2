/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: what fails on the way is tried again and leaves no wrong byte; what cannot be had is an error, in words,
 * within the deadline, and can be healed; no byte of another version is seen; closing does not wait.
 * Oracle: bytes that follow from their place and version; the proxy's log. Of time only that nothing hangs.
 */
#include "remote/bytes.h"
#include "remote/servers.h"
#include "stress/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { BIG = 64 << 20, ODD = 1000003 };

static lg_pager *pager;

static sigjmp_buf jump;

static void on_bus(int signal)
{
	(void)signal;
	siglongjmp(jump, 1);
}

/* Plain access raises SIGBUS, which the pager's handler passes on to the one that was there before. */
static bool is_unreadable(const volatile char *address)
{
	volatile bool caught = true;

	if (sigsetjmp(jump, 1) == 0) {
		(void)*address;
		caught = false;
	}
	return caught;
}

static void what_passes_is_tried_again(void)
{
	static const char *const faults[] = {
		"[{\"status\":503}]",
		"[{\"status\":500},{\"status\":502},{\"status\":504},{\"status\":408}]",
		"[{\"status\":429,\"headers\":{\"retry-after\":\"1\"}}]",
		"[{\"rst\":true}]",
		"[{\"close\":true},{\"close\":true}]",
		"[{\"after\":1000,\"then\":\"close\"}]",
		"[{\"after\":100000,\"then\":\"rst\"},{\"after\":7,\"then\":\"close\"}]",
		"[{\"after\":0,\"then\":\"rst\"}]",
		"[{\"delay\":300}]",
		"[{\"hang\":true}]",
		"[{\"bps\":2000000}]",
	};
	char *buffer = malloc(MIB);

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		lg_map *map = server_map(pager, "FAULTY", "/big", NULL);
		size_t at = (3 * i + 1) * MIB + 17;

		server_faults(faults[i]);
		CLAIM(lg_map_read(map, buffer, MIB, at) == MIB);
		bytes_check(buffer, at, MIB, 0);
		CLAIM(lg_map_close(map) == 0);
		server_faults("[]");
	}
	free(buffer);
}

static void the_first_request_is_tried_again_too(void)
{
	static const char *const faults[] = { "[{\"status\":503},{\"rst\":true}]",
					      "[{\"after\":5000,\"then\":\"rst\"}]",
					      "[{\"hang\":true}]", "[{\"dropRange\":true}]" };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		server_faults(faults[i]);
		lg_map *map = server_map(pager, "FAULTY", "/odd", NULL);
		bytes_check(lg_map_data(map), 0, ODD, 0);
		CLAIM(lg_map_close(map) == 0);
	}
}

static void what_came_is_not_asked_for_again(void)
{
	static char log[1 << 16];
	lg_map *map = server_map(pager, "FAULTY", "/big", "prefetch:off");
	static char buffer[256 << 10]; /* what one touch reads */

	server_faults("[{\"after\":200000,\"then\":\"close\"}]");
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), MIB) == sizeof(buffer));
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "\"range\":\"bytes=1048576-1310719\"") != NULL);
	CLAIM(strstr(log, "\"range\":\"bytes=1248576-1310719\"") != NULL);
	CLAIM(lg_map_close(map) == 0);
}

/* One page, one fetch: what is counted is known exactly. */
static void each_trouble_is_counted(void)
{
	static const struct {
		const char *faults;
		unsigned gets, retries, hedges, failures;
		ssize_t got;
	} troubles[] = {
		{ "[]", 1, 0, 0, 0, 64 },
		{ "[{\"status\":503},{\"after\":9,\"then\":\"rst\"}]", 3, 2, 0, 0, 64 },
		{ "[{\"hang\":true}]", 2, 0, 1, 0, 64 },
		{ "[{\"status\":404}]", 1, 0, 0, 1, -ENOENT },
	};
	struct lg_remote_stats before, after;
	lg_map *map = server_map(pager, "FAULTY", "/big", "prefetch:off");
	char buffer[64];

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		server_faults(troubles[i].faults);
		CLAIM(lg_remote_stats_read(&before) == 0);
		CLAIM(lg_map_read(map, buffer, sizeof(buffer), (i + 1) * MIB) == troubles[i].got);
		CLAIM(lg_remote_stats_read(&after) == 0);
		fprintf(stderr, "%s: %u GETs, %u retries, %u hedges, %u failures\n",
			troubles[i].faults, (unsigned)(after.gets - before.gets),
			(unsigned)(after.retries - before.retries),
			(unsigned)(after.hedges - before.hedges),
			(unsigned)(after.failures - before.failures));
		CLAIM(after.gets - before.gets == troubles[i].gets);
		CLAIM(after.retries - before.retries == troubles[i].retries);
		CLAIM(after.hedges - before.hedges == troubles[i].hedges);
		CLAIM(after.failures - before.failures == troubles[i].failures);
	}
	CLAIM(lg_map_close(map) == 0);
}

/* A read of one page, of which the proxy makes this, is this error; and can be healed. */
static void fails_and_heals(const char *faults, const char *options, int error)
{
	lg_map *map = server_map(pager, "FAULTY", "/big", options);
	const char *data = lg_map_data(map);
	char buffer[64];

	server_faults(faults);
	ssize_t got = lg_map_read(map, buffer, sizeof(buffer), 9 * MIB);
	if (got != -error)
		fprintf(stderr, "%s: %zd, not %d: %s\n", faults, got, -error, lg_error());
	CLAIM(got == -error);
	CLAIM(strstr(lg_error(), "/big: ") != NULL);
	CLAIM(lg_map_error(map, data + 9 * MIB) == -error);
	CLAIM(strstr(lg_error(), "/big: ") != NULL);
	CLAIM(lg_map_error(map, data) == 0);
	CLAIM(is_unreadable(data + 9 * MIB + 5));
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 9 * MIB) < 0);
	server_faults("[]");
	CLAIM(lg_map_retry(map) == 1);
	bytes_check(data + 9 * MIB, 9 * MIB, 64, 0);
	CLAIM(lg_map_close(map) == 0);
}

static void what_does_not_pass_is_an_error(void)
{
	fails_and_heals("[{\"status\":503,\"always\":true}]", NULL, EIO);
	fails_and_heals("[{\"rst\":true,\"always\":true}]", NULL, ECONNRESET);
	fails_and_heals("[{\"hang\":true,\"always\":true}]", "deadline:3s", ETIMEDOUT);
	fails_and_heals("[{\"status\":429,\"headers\":{\"retry-after\":\"3600\"}}]", NULL, EIO);
	fails_and_heals("[{\"status\":403}]", NULL, EACCES);
	fails_and_heals("[{\"status\":404}]", NULL, ENOENT);
	fails_and_heals("[{\"status\":410}]", NULL, ENOENT);
	fails_and_heals("[{\"status\":412}]", NULL, ESTALE);
	fails_and_heals("[{\"status\":416}]", NULL, ESTALE);
	fails_and_heals("[{\"status\":400}]", NULL, EIO);
	fails_and_heals("[{\"headers\":{\"etag\":\"\\\"another\\\"\"}}]", NULL, ESTALE);
	fails_and_heals("[{\"headers\":{\"etag\":null}}]", NULL, ESTALE);
	fails_and_heals("[{\"headers\":{\"content-range\":\"bytes 9437184-9699327/67108865\"}}]",
			NULL, ESTALE);
	fails_and_heals("[{\"headers\":{\"content-range\":\"bytes 0-262143/67108864\"}}]", NULL,
			EIO);
	fails_and_heals("[{\"headers\":{\"content-range\":\"nonsense\"}}]", NULL, EIO);
	fails_and_heals("[{\"headers\":{\"content-range\":null}}]", NULL, EIO);
	fails_and_heals("[{\"dropRange\":true}]", NULL, EOPNOTSUPP);
}

/* In all four formats: nothing of what was asked for, nor by whom. */
static void metrics_are_silent(void)
{
	static const char *const words[] = { "hunter", "AKID", "127.0.0.1", "bucket/", "/big" };
	static char text[1 << 20];

	for (enum lg_format format = LG_OPENMETRICS; format <= LG_PROMETHEUS; format++) {
		int fd = memfd_create("metrics", MFD_CLOEXEC);

		CLAIM(fd >= 0 && lg_metrics_write(fd, format) == 0);
		ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
		CLAIM(length > 100 && (size_t)length < sizeof(text) - 1);
		text[length] = '\0';
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			CLAIM(strstr(text, words[i]) == NULL);
		close(fd);
	}
}

static void write_credentials(const char *access_key)
{
	char path[300], text[200];

	snprintf(path, sizeof(path), "%s/credentials", server_value("WWW"));
	snprintf(text, sizeof(text),
		 "[default]\naws_access_key_id = %s\naws_secret_access_key = hunter2\n",
		 access_key);
	FILE *file = fopen(path, "w");
	CLAIM(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	CLAIM(setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1) == 0);
}

/* Keys that expire under an open map, as those of roles do: once they are new in the file they are taken from there. */
static void expired_credentials_are_read_again(void)
{
	static char log[1 << 16];
	char options[300], path[300], buffer[64];

	snprintf(options, sizeof(options), "endpoint:%s,prefetch:off", server_value("FAULTY"));
	snprintf(path, sizeof(path), "%s/bucket", server_value("WWW"));
	CLAIM(mkdir(path, 0755) == 0);
	snprintf(path, sizeof(path), "%s/bucket/key", server_value("WWW"));
	bytes_make(path, 8 * MIB, 0);
	write_credentials("AKIDOLD");
	server_faults("[]");
	lg_map *map = lg_map_url(pager, "s3://bucket/key", options);
	CLAIM(map != NULL);
	static const char expired[] =
		"[{\"status\":400,\"body\":\"<Error><Code>ExpiredToken</Code></Error>\"}]";
	server_faults(expired);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 5 * MIB) ==
	      -EIO); /* they are what they were */
	CLAIM(strstr(lg_error(), "ExpiredToken") != NULL);
	write_credentials("AKIDNEW");
	server_faults(expired);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 2 * MIB) == sizeof(buffer));
	bytes_check(buffer, 2 * MIB, sizeof(buffer), 0);
	server_log(log, sizeof(log));
	char *first = strstr(log, "Credential=AKIDOLD/"),
	     *second = strstr(log, "Credential=AKIDNEW/");
	CLAIM(first != NULL && second != NULL && first < second);
	CLAIM(strstr(second, "AKIDOLD") == NULL);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(unsetenv("AWS_SHARED_CREDENTIALS_FILE") == 0);
}

/* A redirect of a signed request leads to a host that is there, and that nobody connects to. */
static void no_other_host_is_asked(const char *options)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int host = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(at);
	char fault[200];

	CLAIM(bind(host, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(host, 1) == 0);
	CLAIM(getsockname(host, (struct sockaddr *)&at, &length) == 0);
	for (unsigned status = 301; status <= 308; status++) {
		if (status > 303 && status < 307)
			continue;
		snprintf(fault, sizeof(fault),
			 "[{\"status\":%u,\"headers\":{\"location\":\"http://127.0.0.1:%u/key\"}}]",
			 status, ntohs(at.sin_port));
		server_faults(fault);
		server_refuses(pager, "s3://bucket/missing", options, EACCES);
		CLAIM(strstr(lg_error(), "hunter") == NULL);
	}
	CLAIM(accept(host, NULL, NULL) == -1 && errno == EAGAIN);
	close(host);
}

/* A weak ETag does for checking, and is not sent as If-Match. */
static void weak_etags_pin(void)
{
	static char log[1 << 16];
	char buffer[64];

	server_faults("[{\"always\":true,\"headers\":{\"etag\":\"W/\\\"one\\\"\"}}]");
	lg_map *map = server_map(pager, "FAULTY", "/big", NULL);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 5 * MIB) == sizeof(buffer));
	bytes_check(buffer, 5 * MIB, sizeof(buffer), 0);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "\"if-match\"") == NULL);
	CLAIM(strstr(log, "\"if-unmodified-since\"") != NULL);
	server_faults("[{\"headers\":{\"etag\":\"W/\\\"two\\\"\"}}]");
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 15 * MIB) == -ESTALE);
	server_faults("[{\"headers\":{\"etag\":\"W/\\\"one\\\"\","
		      "\"last-modified\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}}]");
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 25 * MIB) == -ESTALE);
	CLAIM(lg_map_close(map) == 0);
	server_faults("[]");
}

/* The object itself changes under the map, then goes. */
static void no_byte_of_another_version_is_seen(void)
{
	char path[300], other[300], buffer[64];

	snprintf(path, sizeof(path), "%s/changing", server_value("WWW"));
	snprintf(other, sizeof(other), "%s/other", server_value("WWW"));
	bytes_make(path, 8 * MIB, 1);
	lg_map *map = server_map(pager, "PLAIN", "/changing", "prefetch:off");
	const char *data = lg_map_data(map);

	bytes_check(data + MIB, MIB, 256 * KIB, 1);
	bytes_make(other, 8 * MIB, 2);
	CLAIM(rename(other, path) == 0);
	/* nginx's ETag is of seconds and length, as Last-Modified is. */
	CLAIM(utimensat(AT_FDCWD, path, (struct timespec[2]){ { .tv_sec = 1 }, { .tv_sec = 1 } },
			0) == 0);
	bytes_check(data + MIB, MIB, 256 * KIB, 1);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 3 * MIB) == -ESTALE);
	CLAIM(is_unreadable(data + 5 * MIB));
	CLAIM(lg_map_error(map, data + 5 * MIB) == -ESTALE);
	bytes_check(data + MIB, MIB, 256 * KIB, 1);
	CLAIM(unlink(path) == 0);
	CLAIM(lg_map_read(map, buffer, sizeof(buffer), 6 * MIB) == -ENOENT);
	CLAIM(lg_map_close(map) == 0);
}

static void closing_does_not_wait(void)
{
	lg_map *map = server_map(pager, "FAULTY", "/big", "deadline:600s");

	server_faults("[{\"hang\":true,\"always\":true}]");
	CLAIM(lg_map_advise(map, 0, 32 * MIB, LG_WILLNEED) == 0);
	double start = clock_seconds();
	CLAIM(lg_map_close(map) == 0);
	fprintf(stderr, "closed in %.3f s\n", clock_seconds() - start);
	server_faults("[]");
}

/* A page whose bytes are here is in the map, whatever becomes of the rest of its request. */
static void pages_come_before_their_request_ends(void)
{
	lg_map *map = server_map(pager, "FAULTY", "/big", "deadline:600s,prefetch:off");
	const char *data = lg_map_data(map);

	server_faults("[{\"after\":200000,\"then\":\"hang\"},{\"hang\":true,\"always\":true}]");
	bytes_check(data + 7 * MIB, 7 * MIB, 192 * KIB, 0);
	CLAIM(lg_map_close(map) == 0);
	server_faults("[]");
}

/* Nothing comes for 10 s: what has come is kept, and the rest is asked for again. */
static void a_transfer_that_stalls_goes_on_elsewhere(void)
{
	static char log[1 << 16];
	lg_map *map = server_map(pager, "FAULTY", "/big", "deadline:40s,prefetch:off");

	server_faults("[{\"after\":200000,\"then\":\"hang\"}]");
	bytes_check((const char *)lg_map_data(map) + 9 * MIB, 9 * MIB, 256 * KIB, 0);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "\"range\":\"bytes=9637184-9699327\"") != NULL);
	CLAIM(lg_map_close(map) == 0);
	server_faults("[]");
}

/* A stream opens its window; the program goes elsewhere; what still flies for the stream ends. */
static void what_nobody_waits_for_any_more_is_cancelled(void)
{
	static char log[1 << 17];
	lg_map *map = server_map(pager, "FAULTY", "/big", "deadline:600s");
	const char *data = lg_map_data(map);

	/* The next block and the window, slowly: a request of 2 MiB would take 20 s. */
	server_faults(
		"[{\"bps\":100000},{\"bps\":100000},{\"bps\":100000},{\"bps\":100000},{\"bps\":100000},"
		"{\"bps\":100000},{\"bps\":100000},{\"bps\":100000},{\"bps\":100000}]");
	bytes_check(data, 0, 64, 0);
	bytes_check(data + 256 * KIB, 256 * KIB, 64, 0);
	for (size_t i = 0; i < 48; i++) { /* blocks no two of which follow at one distance */
		size_t at = 24 * MIB + (i * i * 37 + i * 11) % 160 * 256 * KIB;

		bytes_check(data + at, at, 64, 0);
	}
	bytes_check(data + 2 * MIB, 2 * MIB, 64, 0);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "\"range\":\"bytes=2097152-2359295\"") != NULL);
	CLAIM(lg_map_close(map) == 0);
	server_faults("[]");
}

static void secrets_go_nowhere_else(void)
{
	static char log[1 << 16];
	char options[300];

	snprintf(options, sizeof(options),
		 "endpoint:%s,access_key:AKID,secret_key:hunter2,session_token:hunter3,deadline:5s",
		 server_value("FAULTY"));
	server_faults(
		"[{\"status\":307,\"headers\":{\"location\":\"http://127.0.0.1:1/elsewhere\"}}]");
	server_refuses(pager, "s3://bucket/key", options, EACCES);
	CLAIM(strstr(lg_error(), "hunter") == NULL);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "Credential=AKID/") != NULL);
	CLAIM(strstr(log, "\"x-amz-security-token\":\"hunter3\"") != NULL);
	CLAIM(strstr(log, "hunter2") == NULL);
	CLAIM(strstr(log, "\"url\":\"/bucket/key\"") != NULL);
	no_other_host_is_asked(options);
	server_faults(
		"[{\"status\":403,\"body\":\"<Error><Code>SignatureDoesNotMatch</Code></Error>\"}]");
	server_refuses(pager, "s3://bucket/key", options, EACCES);
	CLAIM(strstr(lg_error(), "SignatureDoesNotMatch") != NULL);
	server_faults("[{\"status\":400,\"body\":\"<Error><Code>AuthorizationHeaderMalformed</Code>"
		      "<Region>eu-west-9</Region></Error>\"},{\"status\":404}]");
	server_refuses(pager, "s3://bucket/key", options, ENOENT);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "/eu-west-9/s3/aws4_request") != NULL);
	server_faults(
		"[{\"status\":403,\"headers\":{\"date\":\"Sun, 06 Nov 1994 08:49:37 GMT\"},"
		"\"body\":\"<Error><Code>RequestTimeTooSkewed</Code></Error>\"},{\"status\":404}]");
	server_refuses(pager, "s3://bucket/key", options, ENOENT);
	server_log(log, sizeof(log));
	CLAIM(strstr(log, "\"x-amz-date\":\"19941106T0849") != NULL);
	server_faults("[]");
	metrics_are_silent();
}

int main(int argc, char **argv)
{
	struct sigaction ours = { .sa_handler = on_bus, .sa_flags = SA_NODEFER };

	if (bytes_were_made(argc, argv))
		return 0;
	sigaction(SIGBUS, &ours,
		  NULL); /* before the pager's, which passes on what it does not serve */
	pager = lg_pager_new("memory:32M");
	CLAIM(pager != NULL);
	what_passes_is_tried_again();
	the_first_request_is_tried_again_too();
	what_came_is_not_asked_for_again();
	each_trouble_is_counted();
	what_does_not_pass_is_an_error();
	expired_credentials_are_read_again();
	weak_etags_pin();
	no_byte_of_another_version_is_seen();
	closing_does_not_wait();
	pages_come_before_their_request_ends();
	a_transfer_that_stalls_goes_on_elsewhere();
	what_nobody_waits_for_any_more_is_cancelled();
	secrets_go_nowhere_else();
	CLAIM(lg_pager_free(pager) == 0);
	return 0;
}
