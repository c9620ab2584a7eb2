/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * CLAIM(condition): what a test states. If it does not hold the program says where and aborts, so that
 * a core dump or a sanitizer shows the other threads as they were.
 * BROKEN("claim"): the same, found out otherwise.
 * SKIP("why"): the machine cannot run this test; ctest shows it as skipped.
 */
#ifndef STRESS_CLAIM_H
#define STRESS_CLAIM_H

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_SKIPPED = 77 };

/* Under AddressSanitizer the library keeps no caches, so that a use after free is seen. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED_ADDRESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED_ADDRESS 1
#endif
#endif
#ifndef SANITIZED_ADDRESS
#define SANITIZED_ADDRESS 0
#endif

/* ThreadSanitizer follows no threads into the child of a fork, and has memory of its own for all of ours. */
#if defined(__SANITIZE_THREAD__)
#define SANITIZED_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED_THREAD 1
#endif
#endif
#ifndef SANITIZED_THREAD
#define SANITIZED_THREAD 0
#endif

static inline _Noreturn void claim_failed(const char *what, const char *file, int line)
{
	int cause = errno;

	fprintf(stderr, "%s:%d: does not hold: %s (errno %d %s; lg_error \"%s\")\n", file, line,
		what, cause, strerror(cause), lg_error());
	fflush(NULL);
	abort();
}

#define CLAIM(what) ((what) ? (void)0 : claim_failed(#what, __FILE__, __LINE__))

#define BROKEN(claim) claim_failed(claim, __FILE__, __LINE__)

#define SKIP(...)                                                                                  \
	do {                                                                                       \
		fprintf(stderr, "skipped: " __VA_ARGS__);                                          \
		fputc('\n', stderr);                                                               \
		exit(EXIT_SKIPPED);                                                                \
	} while (0)

#endif
