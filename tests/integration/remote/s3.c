/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: objects of an S3 that checks signatures are read, whatever their keys; what it refuses is said, and no
 * secret with it.
 * Oracle: OpenStack Swift; bytes that follow from their place.
 */
#include "remote/bytes.h"
#include "remote/servers.h"

enum { ODD = 1000003 };

#define KEYS "access_key:test:tester,secret_key:testing"

static lg_pager *pager;
static char endpoint[128];

static const char *with(const char *options)
{
	static char text[512];

	snprintf(text, sizeof(text), "endpoint:%s%s%s", endpoint, options[0] != '\0' ? "," : "",
		 options);
	return text;
}

/* Our clock, by so many seconds off. */
static int64_t clock_error_s;

uint64_t __real_lg_os_unix_ms(void);
uint64_t __wrap_lg_os_unix_ms(void);

uint64_t __wrap_lg_os_unix_ms(void)
{
	return __real_lg_os_unix_ms() + (uint64_t)(clock_error_s * 1000);
}

static void reads(const char *url, const char *options)
{
	lg_map *map = lg_map_url(pager, url, with(options));

	CLAIM(map != NULL);
	CLAIM(lg_map_size(map) == ODD);
	bytes_check(lg_map_data(map), 0, ODD, 0);
	CLAIM(lg_map_close(map) == 0);
}

static void refuses(const char *url, const char *options, int error)
{
	server_refuses(pager, url, with(options), error);
	CLAIM(strstr(lg_error(), "testing") == NULL);
	CLAIM(strstr(lg_error(), "hunter2") == NULL);
}

int main(int argc, char **argv)
{
	if (bytes_were_made(argc, argv))
		return 0;
	snprintf(endpoint, sizeof(endpoint), "%s", server_value("ENDPOINT"));
	pager = lg_pager_new("memory:16M");
	CLAIM(pager != NULL);
	reads("s3://bucket/odd", KEYS);
	reads("s3://bucket/odd name/=&+\xc3\xa4?", KEYS);
	reads("s3://bucket/odd", KEYS ",session_token:anything");
	reads("s3://bucket/odd", KEYS ",region:eu-west-1"); /* the server says which it is */
	clock_error_s = 3600;                               /* the server says what time it is */
	reads("s3://bucket/odd", KEYS);
	clock_error_s = -86400;
	reads("s3://bucket/odd", KEYS);
	clock_error_s = 0;
	lg_map *map = lg_map_url(pager, "s3://bucket/empty", with(KEYS));
	CLAIM(map != NULL);
	CLAIM(lg_map_size(map) == 0);
	CLAIM(lg_map_close(map) == 0);
	refuses("s3://bucket/odd", "access_key:test:tester,secret_key:hunter2", EACCES);
	refuses("s3://bucket/odd", "access_key:nobody,secret_key:hunter2", EACCES);
	refuses("s3://bucket/odd", "access_key:test:tester", EINVAL);
	refuses("s3://bucket/odd", "", EACCES);
	refuses("s3://bucket/missing", KEYS, ENOENT);
	refuses("s3://missing/odd", KEYS, ENOENT);
	CLAIM(setenv("AWS_ACCESS_KEY_ID", "test:tester", 1) == 0);
	CLAIM(setenv("AWS_SECRET_ACCESS_KEY", "testing", 1) == 0);
	reads("s3://bucket/odd", "");
	CLAIM(lg_pager_free(pager) == 0);
	return 0;
}
