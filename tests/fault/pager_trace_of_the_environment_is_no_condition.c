/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a trace that the environment asks for changes nothing for the program. One that cannot be had, or that the disk
 * or RLIMIT_FSIZE cuts off, is one line on stderr, and every pager is made, works and ends; so does the program, with its own
 * status. What an option asks for is had, or is an error.
 * Method: paths that are no files, a file that another process writes, a limit; each in a child.
 * Oracle: the pagers, their maps, the lines on stderr, the exit status.
 */
#include "fault/child.h"

#include <lgalloc/lgalloc.h>
#include <lgalloc/pager.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

enum { PAGE = 4096, PAGES = 1024, STATUS = 7 };

static const char environment[] = "LGALLOC_PAGER_TRACE";
static char path[64];

/* NULL: the default one. */
static void claim_works(lg_pager *pager)
{
	lg_map *map = lg_map_memory(pager, PAGES * PAGE, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < PAGES; i++) {
			CLAIM(data[i * PAGE] == (char)(round == 0 ? 0 : i));
			data[i * PAGE] = (char)i;
		}
	}
	CLAIM(lg_map_close(map) == 0);
}

static void use_pagers(void *at)
{
	CLAIM(setenv(environment, at, 1) == 0);
	for (int i = 0; i < 2; i++) {
		lg_pager *pager = lg_pager_new("memory:1M,page:4K");

		CLAIM(pager != NULL);
		claim_works(pager);
		CLAIM(lg_pager_free(pager) == 0);
	}
	claim_works(NULL);
}

static void claim_option_is_an_error(void *at)
{
	char options[128];

	snprintf(options, sizeof(options), "memory:1M,trace:%s", (const char *)at);
	CLAIM(setenv(environment, path, 1) == 0);
	CLAIM(lg_pager_new(options) == NULL);
	CLAIM(strstr(lg_error(), "cannot be opened") != NULL);
}

static void claim_one_line(const struct child_end *end, const char *words)
{
	const char *line = strstr(end->text, words);

	if (line == NULL || strchr(end->text, '\n') != strrchr(end->text, '\n'))
		child_print("what is said", end);
	CLAIM(line != NULL);
	CLAIM(strncmp(end->text, "lgalloc: ", 9) == 0);
	CLAIM(strchr(end->text, '\n') == strrchr(end->text, '\n'));
}

static void claim_works_without(char *at, const char *words)
{
	struct child_end end = child_try(use_pagers, at);

	if (!child_ended_well(&end))
		child_print(at, &end);
	CLAIM(child_ended_well(&end));
	claim_one_line(&end, words);
}

/* The second pager's file has another name, and is had. */
static void claim_works_beside_another(void)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char name[128];

	CLAIM(file >= 0);
	CLAIM(flock(file, LOCK_EX) == 0);
	claim_works_without(path, "is being written by another process");
	close(file);
	unlink(path);
	for (int i = 2; i <= 3; i++) {
		snprintf(name, sizeof(name), "%s.%d", path, i);
		CLAIM(unlink(name) == 0);
	}
}

/* A page is 32 bytes of the trace. */
static lg_pager *outgrow_the_limit(void)
{
	struct rlimit limit;

	CLAIM(setenv(environment, path, 1) == 0);
	CLAIM(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	lg_pager *pager = lg_pager_new("memory:1M,page:4K");
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, PAGES * PAGE, NULL);
	CLAIM(map != NULL);
	limit.rlim_cur = PAGE;
	CLAIM(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	for (size_t i = 0; i < PAGES / 8; i++)
		((volatile char *)lg_map_data(map))[i * PAGE] = 1;
	CLAIM(lg_map_close(map) == 0);
	return pager;
}

static void end_the_pager(void *unused)
{
	(void)unused;
	CLAIM(lg_pager_free(outgrow_the_limit()) == 0);
	_exit(STATUS);
}

static void end_the_program(void *unused)
{
	(void)unused;
	(void)outgrow_the_limit();
	exit(STATUS);
}

static void claim_end_is_told(void (*body)(void *))
{
	struct child_end end = child_try(body, NULL);

	if (!WIFEXITED(end.status) || WEXITSTATUS(end.status) != STATUS)
		child_print("a trace that is cut off", &end);
	CLAIM(WIFEXITED(end.status) && WEXITSTATUS(end.status) == STATUS);
	claim_one_line(&end, "is cut off: ");
	unlink(path);
}

int main(void)
{
	char nowhere[] = "/nosuch/directory/trace", directory[] = "/";

	snprintf(path, sizeof(path), "environment-%ld.trace", (long)getpid());
	claim_works_without(nowhere, "LGALLOC_PAGER_TRACE: nothing is recorded: the trace");
	claim_works_without(directory, "LGALLOC_PAGER_TRACE: nothing is recorded: the trace");
	(void)child_claim("an option", claim_option_is_an_error, nowhere);
	claim_works_beside_another();
	claim_end_is_told(end_the_pager);
	claim_end_is_told(end_the_program);
	return EXIT_SUCCESS;
}
