/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* `lgalloc cat`: a remote object on stdout, by way of a map that reads ahead. */
#include "base/bits.h"
#include "os/clock.h"
#include "tool/command.h"

#include <lgalloc/pager.h>

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20, BAR = 30, DRAW_MS = 100 };

struct wish {
	const char *url;
	const char *options;
	const char *range;
	bool progress;
};

struct progress {
	bool shown;
	uint64_t start_ms;
	uint64_t drawn_ms;
	uint64_t bytes;
};

static const char doc[] =
	"Writes an object of S3 or the web, s3://BUCKET/KEY, https://... or http://..., to standard output."
	"\vOPTIONS are those of lg_map_url(3): deadline, endpoint, region, profile, ca_file, anonymous "
	"and others. Secrets belong into the environment or ~/.aws/credentials: an argument is seen "
	"by who lists processes.";

static const struct argp_option flags[] = {
	{ "range", 'r', "FIRST-LAST", 0,
	  "only these bytes, counted from 0; FIRST- is to the end, -N the last N", 0 },
	{ "options", 'o', "KEY:VALUE,...", 0, "options of the map", 0 },
	{ "progress", 'p', NULL, 0,
	  "a progress bar on standard error; the default where that is a terminal and standard output is none",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct wish *wish = state->input;

	switch (key) {
	case 'r':
		wish->range = argument;
		return 0;
	case 'o':
		wish->options = argument;
		return 0;
	case 'p':
		wish->progress = true;
		return 0;
	case ARGP_KEY_ARG:
		if (wish->url != NULL)
			lg_usage_error("cat", "one URL at a time, not '%s' as well", argument);
		wish->url = argument;
		return 0;
	case ARGP_KEY_END:
		if (wish->url == NULL)
			lg_usage_error("cat", "which URL?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Digits; false: none, or too many of them. */
static bool parse_number(const char **text, uint64_t *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0;
}

/* The bytes from *first to *end of an object of so many; what lies behind its end is left out. */
static void parse_range(const char *text, uint64_t bytes, uint64_t *first, uint64_t *end)
{
	const char *at = text;
	uint64_t last = UINT64_MAX;

	*first = 0;
	*end = bytes;
	if (text == NULL)
		return;
	if (*at == '-') {
		at++;
		if (!parse_number(&at, &last) || *at != '\0')
			lg_usage_error("cat", "range '%s' is not FIRST-LAST, FIRST- or -N", text);
		*first = bytes - lg_min(bytes, last);
		return;
	}
	bool good = parse_number(&at, first) && *at++ == '-' &&
		    (*at == '\0' || (parse_number(&at, &last) && *at == '\0'));
	if (!good || last < *first)
		lg_usage_error("cat", "range '%s' is not FIRST-LAST, FIRST- or -N", text);
	*end = last < bytes ? last + 1 : bytes;
	*first = lg_min(*first, *end);
}

static void draw(struct progress *progress, uint64_t done, bool last)
{
	static const char hashes[] = "##############################";
	uint64_t now = lg_os_now_ms();

	if (!progress->shown || (!last && now < progress->drawn_ms + DRAW_MS))
		return;
	progress->drawn_ms = now;
	double share = progress->bytes > 0 ? (double)done / (double)progress->bytes : 1;
	double seconds = (double)(now - progress->start_ms + 1) / 1000;
	fprintf(stderr, "\r[%-*.*s] %3.0f%%  %.1f of %.1f MiB, %.1f MiB/s ", BAR,
		(int)(share * BAR), hashes, share * 100, (double)done / (1 << 20),
		(double)progress->bytes / (1 << 20), (double)done / (1 << 20) / seconds);
	if (last)
		fputc('\n', stderr);
}

static void copy(lg_map *map, uint64_t first, uint64_t end, struct progress *progress)
{
	static char chunk[CHUNK_BYTES];

	progress->bytes = end - first;
	progress->start_ms = lg_os_now_ms();
	for (uint64_t at = first; at < end;) {
		ssize_t got = lg_map_read(map, chunk, lg_min(end - at, CHUNK_BYTES), at);

		if (got < 0 && progress->shown)
			fputc('\n', stderr);
		if (got < 0)
			lg_command_fail("cat", "%s", lg_error());
		if (fwrite(chunk, 1, (size_t)got, stdout) != (size_t)got)
			return; /* lg_command_end says why */
		at += (uint64_t)got;
		draw(progress, at - first, false);
	}
	draw(progress, progress->bytes, true);
}

int lg_command_cat(int argc, char **argv)
{
	static const struct argp argp = { flags, parse, "URL", doc, NULL, NULL, NULL };
	static char name[] = "lgalloc cat";
	struct wish wish = { .progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) };
	uint64_t first, end;

	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &wish);
	parse_range(wish.range, 0, &first,
		    &end); /* what is wrong is said before anybody is asked */
	lg_pager *pager = lg_pager_new("memory:64M");
	if (pager == NULL)
		lg_command_fail("cat", "%s", lg_error());
	lg_map *map = lg_map_url(pager, wish.url, wish.options);
	if (map == NULL && errno == EINVAL)
		lg_usage_error("cat", "%s", lg_error());
	if (map == NULL)
		lg_command_fail("cat", "%s", lg_error());
	struct progress progress = { .shown = wish.progress };
	parse_range(wish.range, lg_map_size(map), &first, &end);
	copy(map, first, end, &progress);
	(void)lg_map_close(map);
	(void)lg_pager_free(pager);
	return lg_command_end("cat");
}
