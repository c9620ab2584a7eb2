/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool lg_place_find(const char *name, const char *built, const char *installed, char path[PATH_MAX])
{
	const char *const places[] = { built, installed };
	char own[PATH_MAX], try[2 * PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (length <= 0)
		return false;
	own[length] = '\0';
	*strrchr(own, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(try, sizeof(try), "%s/%s/%s", own, places[i], name);
		if (realpath(try, path) != NULL && access(path, R_OK) == 0)
			return true;
	}
	return false;
}
