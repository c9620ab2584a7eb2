/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the tests here demand: one line that says what did not hold, and the end. */
#ifndef SQLITE_PCACHE_REQUIREMENT_H
#define SQLITE_PCACHE_REQUIREMENT_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition, ...)                                                                    \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "FAILED %s:%d: %s: ", __FILE__, __LINE__, #condition);     \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			exit(EXIT_FAILURE);                                                        \
		}                                                                                  \
	} while (0)

#endif
