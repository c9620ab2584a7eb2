/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A directory for metrics files in the working directory, and what is seen in it from outside. */
#ifndef FAULT_METRICS_H
#define FAULT_METRICS_H

#include "stress/claim.h"
#include "stress/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METRICS_TEXT_BYTES = 1 << 18 };

static inline void metrics_make_directory(char *path)
{
	CLAIM(mkdtemp(path) != NULL);
}

/* All of `lg_configure("metrics_file:DIRECTORY/NAME,MORE")`. */
static inline void metrics_configure(const char *directory, const char *name, const char *more)
{
	char options[8192];

	snprintf(options, sizeof(options), "metrics_file:%s/%s,%s", directory, name, more);
	CLAIM(lg_configure(options) == 0);
}

/* Names that end in `end`; each is also removed if asked. */
static inline unsigned metrics_count(const char *directory, const char *end, bool removed)
{
	DIR *names = opendir(directory);
	unsigned count = 0;

	CLAIM(names != NULL);
	for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
		size_t length = strlen(entry->d_name), tail = strlen(end);

		if (entry->d_name[0] == '.' || length < tail ||
		    strcmp(entry->d_name + length - tail, end) != 0)
			continue;
		count++;
		if (removed)
			CLAIM(unlinkat(dirfd(names), entry->d_name, 0) == 0);
	}
	closedir(names);
	return count;
}

/* name{label="value",...} number: the number of samples, or a claim that does not hold. */
static inline unsigned metrics_claim_lines(char *text)
{
	unsigned samples = 0;
	char *rest = text, *line;
	bool ended = false;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		CLAIM(!ended);
		ended = strcmp(line, "# EOF") == 0;
		if (line[0] == '#') {
			CLAIM(ended || strncmp(line, "# HELP lgalloc_", 15) == 0 ||
			      strncmp(line, "# TYPE lgalloc_", 15) == 0);
			continue;
		}
		char *value = strrchr(line, ' ');
		CLAIM(strncmp(line, "lgalloc_", 8) == 0 && value != NULL && value[-1] == '}');
		CLAIM(value[1] != '\0' && strspn(value + 1, "0123456789.") == strlen(value + 1));
		CLAIM(strstr(line, "process=\"") != NULL);
		samples++;
	}
	CLAIM(ended && line != NULL && line[0] == '\0');
	return samples;
}

/* False: there is no such file. Else it is whole. */
static inline bool metrics_claim_whole(const char *directory, const char *name)
{
	static _Thread_local char text[METRICS_TEXT_BYTES];
	char path[512];
	size_t length = 0;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		CLAIM(errno == ENOENT);
		return false;
	}
	while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd);
	CLAIM(length < sizeof(text) - 1);
	text[length] = '\0';
	CLAIM(metrics_claim_lines(text) > 20);
	return true;
}

#endif
