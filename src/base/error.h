/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The calling thread's last failure in words. The text lies in the thread itself, not behind a pointer,
 * so that it can be written when there is no memory and read when a thread is ending.
 */
#ifndef LG_BASE_ERROR_H
#define LG_BASE_ERROR_H

/* Notes the failure in words and returns -error. `%m` is not available: use lg_error_name. */
int lg_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What lg_error() says, to put back after a failure that was recovered from. */
enum { LG_ERROR_BYTES = 256 };
void lg_error_save(char text[LG_ERROR_BYTES]);
void lg_error_restore(const char text[LG_ERROR_BYTES]);

/* "no space left on device (ENOSPC)" and the like, for messages. */
const char *lg_error_name(int error);

/* One line on stderr, "lgalloc: …", with nothing but write(2). */
void lg_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
