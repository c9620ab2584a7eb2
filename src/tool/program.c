/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/program.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENTS = 64, ENTRIES = 128 };

static int open_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || access(path, X_OK) != 0)
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* As execvp does: the first in PATH that can be executed. */
static int open_named(const char *name)
{
	const char *paths = getenv("PATH");
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL)
		return open_program(name);
	for (const char *at = paths != NULL ? paths : "/bin:/usr/bin"; at != NULL;) {
		const char *end = strchrnul(at, ':');
		int fd, length = (int)(end - at);

		fd = snprintf(path, sizeof(path), "%.*s%s%s", length, at, length > 0 ? "/" : "",
			      name) < (int)sizeof(path) ?
			     open_program(path) :
			     -1;
		if (fd >= 0)
			return fd;
		at = *end != '\0' ? end + 1 : NULL;
	}
	return -1;
}

/* A position-independent program says that it is one; the dynamic linker, which may be started itself, has no such word. */
static bool says_program(int fd, const Elf64_Phdr *dynamic)
{
	Elf64_Dyn entries[ENTRIES];
	ssize_t got = pread(fd, entries, sizeof(entries), (off_t)dynamic->p_offset);
	size_t count = got > 0 ? (size_t)got / sizeof(entries[0]) : 0;

	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++)
		if (entries[i].d_tag == DT_FLAGS_1)
			return (entries[i].d_un.d_val & DF_1_PIE) != 0;
	return false;
}

static bool is_static(int fd)
{
	Elf64_Ehdr header;
	Elf64_Phdr segments[SEGMENTS];
	const Elf64_Phdr *dynamic = NULL;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(segments[0]) ||
	    header.e_phnum > SEGMENTS)
		return false;
	size_t bytes = header.e_phnum * sizeof(segments[0]);
	if (pread(fd, segments, bytes, (off_t)header.e_phoff) != (ssize_t)bytes)
		return false;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		if (segments[i].p_type == PT_INTERP)
			return false;
		if (segments[i].p_type == PT_DYNAMIC)
			dynamic = &segments[i];
	}
	return header.e_type == ET_EXEC ||
	       (header.e_type == ET_DYN && dynamic != NULL && says_program(fd, dynamic));
}

bool lg_program_is_static(const char *name)
{
	int fd = open_named(name);

	if (fd < 0)
		return false;
	bool found = is_static(fd);
	close(fd);
	return found;
}
