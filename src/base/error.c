/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/error.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

static _Thread_local char text[LG_ERROR_BYTES] __attribute__((tls_model("initial-exec")));

int lg_fail(int error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	return -error;
}

void lg_error_save(char saved[LG_ERROR_BYTES])
{
	memcpy(saved, text, sizeof(text));
}

void lg_error_restore(const char saved[LG_ERROR_BYTES])
{
	memcpy(text, saved, sizeof(text));
}

const char *lg_error(void)
{
	return text;
}

const char *lg_error_name(int error)
{
	switch (error) {
	case ENOMEM:
		return "no memory or address space (ENOMEM)";
	case ENOSPC:
		return "no disk space left (ENOSPC)";
	case EDQUOT:
		return "disk quota exceeded (EDQUOT)";
	case EFBIG:
		return "larger than the file system or ulimit -f allows (EFBIG)";
	case EMFILE:
		return "too many open files, see ulimit -n (EMFILE)";
	case ENFILE:
		return "too many open files in the system (ENFILE)";
	case EACCES:
		return "permission denied (EACCES)";
	case EPERM:
		return "not permitted (EPERM)";
	case EROFS:
		return "file system is read-only (EROFS)";
	case ENOENT:
		return "no such directory (ENOENT)";
	case ENOTDIR:
		return "not a directory (ENOTDIR)";
	case EIO:
		return "input/output error (EIO)";
	case EAGAIN:
		return "resource limit reached (EAGAIN)";
	case EOPNOTSUPP:
		return "not supported there (EOPNOTSUPP)";
	case EINVAL:
		return "invalid (EINVAL)";
	default: {
		const char *name = strerrordesc_np(error);
		return name != NULL ? name : "unknown error";
	}
	}
}

void lg_say(const char *format, ...)
{
	static const char prefix[] = "lgalloc: ";
	char line[LINE_BYTES];
	va_list values;
	size_t length = sizeof(prefix) - 1;

	memcpy(line, prefix, length);
	va_start(values, format);
	int more = vsnprintf(line + length, sizeof(line) - length - 1, format, values);
	va_end(values);
	if (more > 0)
		length += (size_t)more;
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	if (write(STDERR_FILENO, line, length) < 0)
		return; /* nowhere left to say it */
}
