/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a bad key or value is refused whole, with words that name the key, what was given and what is
 * allowed: by lg_configure as -EINVAL, from LGALLOC_CONF as one line on stderr with every default in
 * place. An option that counts only before the first region is -EBUSY after it, and changes nothing.
 * Method: lists of bad strings, in one process and as the environment of this program started again;
 * each bad pair also beside a good one, whose effect would show.
 * Oracle: return values, lg_error(), the lines on stderr, and whether a freed region is cached, which
 * tells whether the good half, cache_bytes:0, was applied.
 */
#include "fault/child.h"
#include "stress/account.h"

static const char *const bad[][2] = {
	/* what is given; what the words must contain */
	{ "no_such_key:1", "no_such_key" },
	{ "backing:tape", "backing" },
	{ "backing:", "backing" },
	{ "backing", "backing" },
	{ "background:perhaps", "background" },
	{ "cache_bytes:-1", "cache_bytes" },
	{ "cache_bytes:12Q", "cache_bytes" },
	{ "cache_bytes:1000000T", "cache_bytes" },
	{ "cache_bytes:99999999999999999999999", "cache_bytes" },
	{ "cache_bytes:1M2", "cache_bytes" },
	{ "cache_bytes: 1M", "cache_bytes" },
	{ "interval:0", "interval" },
	{ "interval:soon", "interval" },
	{ "interval:1000000s", "interval" },
	{ "interval:5M", "interval" },
	{ "span:4096", "span" },
	{ "growth_dampener:x", "growth_dampener" },
	{ "CACHE_BYTES:1M", "CACHE_BYTES" },
	{ ":1", NULL },
	{ "=", NULL },
};

enum { BAD = sizeof(bad) / sizeof(bad[0]) };

static void claim_words(const char *text, unsigned which)
{
	CLAIM(*text != '\0');
	if (!bad[which][1])
		return;
	if (strstr(text, bad[which][1]))
		return;
	fprintf(stderr, "given \"%s\", the words are \"%s\"\n", bad[which][0], text);
	BROKEN("the words name the key");
}

/* Whether a freed region is cached: never under cache_bytes:0. The worker may take it at once, so often. */
static bool caches(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		lg_region *region = lg_region_new((size_t)1 << 20);
		struct lg_stats stats;

		CLAIM(region != NULL);
		lg_region_free(region);
		CLAIM(lg_stats_read(&stats) == 0);
		if (stats.cached_bytes > 0)
			return true;
	}
	return false;
}

static void refuse_by_call(void *unused)
{
	char pair[256];

	(void)unused;
	CLAIM(lg_configure("background:off") == 0);
	for (unsigned i = 0; i < BAD; i++) {
		CLAIM(lg_configure(bad[i][0]) == -EINVAL);
		claim_words(lg_error(), i);
		CLAIM(strchr(lg_error(), '\n') == NULL);
		snprintf(pair, sizeof(pair), "cache_bytes:0,%s", bad[i][0]);
		CLAIM(lg_configure(pair) == -EINVAL);
		claim_words(lg_error(), i);
		snprintf(pair, sizeof(pair), "%s,cache_bytes:0", bad[i][0]);
		CLAIM(lg_configure(pair) == -EINVAL);
	}
	CLAIM(caches());
	/* All is refused after a region as before it. */
	for (unsigned i = 0; i < BAD; i++) {
		snprintf(pair, sizeof(pair), "cache_bytes:0,%s", bad[i][0]);
		CLAIM(lg_configure(pair) < 0);
	}
	CLAIM(caches());
	/* And a good one does show: the oracle can tell. */
	CLAIM(lg_configure("cache_bytes:0") == 0);
	lg_thread_flush();
	CLAIM(!caches());
}

static void be_busy_after_the_first_region(void *unused)
{
	static const char *const first_only[] = { "backing:file", "backing:anon", "span:64G",
						  "reserve:off",  "coredump:on",  "hugepages:off",
						  "dir:/tmp" };

	(void)unused;
	CLAIM(lg_configure(NULL) == 0);
	CLAIM(lg_configure("") == 0);
	CLAIM(lg_configure("backing:anon") == 0);
	CLAIM(lg_configure("backing:file") == 0);
	CLAIM(lg_configure("backing:anon,background:off") == 0);
	CLAIM(caches());
	for (unsigned i = 0; i < sizeof(first_only) / sizeof(first_only[0]); i++) {
		char pair[128];

		CLAIM(lg_configure(first_only[i]) == -EBUSY);
		CLAIM(*lg_error() != '\0');
		snprintf(pair, sizeof(pair), "cache_bytes:0,%s", first_only[i]);
		CLAIM(lg_configure(pair) == -EBUSY);
	}
	CLAIM(caches());
	CLAIM(lg_configure("cache_bytes:1M,interval:5ms,metrics_file:") == 0);
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	while (*text)
		lines += *text++ == '\n';
	return lines;
}

static void start_again(void *environment)
{
	CLAIM(setenv("LGALLOC_CONF", environment, 1) == 0);
	execl("/proc/self/exe", "bad_option_is_one_line", "again", (char *)NULL);
	BROKEN("execl");
}

static void claim_one_line(const char *environment, unsigned which)
{
	char copy[256];
	struct child_end end;

	snprintf(copy, sizeof(copy), "%s", environment);
	end = child_try(start_again, copy);
	if (!child_ended_well(&end) || lines_of(end.text) != 1) {
		child_print(environment, &end);
		BROKEN("a bad LGALLOC_CONF is one line and the defaults");
	}
	claim_words(end.text, which);
}

static void claim_good_environment(const char *environment, bool does_cache)
{
	char copy[256];
	struct child_end end;

	snprintf(copy, sizeof(copy), "%s", environment);
	end = child_try(start_again, copy);
	if (end.length > 0 || !WIFEXITED(end.status) ||
	    WEXITSTATUS(end.status) != (does_cache ? EXIT_SUCCESS : 1)) {
		child_print(environment, &end);
		BROKEN("a good LGALLOC_CONF is applied without a word");
	}
}

int main(int argc, char **argv)
{
	char pair[256];

	if (argc > 1 && strcmp(argv[1], "again") == 0) {
		bool does = caches();

		/* More calls, more threads' first uses: still one line. */
		CLAIM(lg_configure("interval:5ms") == 0);
		return caches() == does && does ? EXIT_SUCCESS : 1;
	}
	unsetenv("LGALLOC_CONF");
	child_claim("refuse_by_call", refuse_by_call, NULL);
	child_claim("be_busy_after_the_first_region", be_busy_after_the_first_region, NULL);
	for (unsigned i = 0; i < BAD; i++) {
		claim_one_line(bad[i][0], i);
		snprintf(pair, sizeof(pair), "cache_bytes:0,%s", bad[i][0]);
		claim_one_line(pair, i);
		snprintf(pair, sizeof(pair), "%s,no_such_key:2,cache_bytes:0", bad[i][0]);
		claim_one_line(pair, i);
	}
	claim_good_environment("cache_bytes:0", false);
	claim_good_environment("cache_bytes:0,backing:anon,interval:10ms", false);
	claim_good_environment("cache_bytes:2M", true);
	claim_good_environment("", true);
	return EXIT_SUCCESS;
}
