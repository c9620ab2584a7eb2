/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/profile.h"

#include "base/error.h"
#include "remote/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 1 << 20 };

struct piece {
	const char *start;
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trim(struct piece piece)
{
	while (piece.length > 0 && is_blank(piece.start[0])) {
		piece.start++;
		piece.length--;
	}
	while (piece.length > 0 && is_blank(piece.start[piece.length - 1]))
		piece.length--;
	return piece;
}

static bool is(struct piece piece, const char *word)
{
	return strlen(word) == piece.length && memcmp(piece.start, word, piece.length) == 0;
}

static struct piece next_line(struct piece *text)
{
	const char *end = memchr(text->start, '\n', text->length);
	struct piece line = { text->start,
			      end != NULL ? (size_t)(end - text->start) : text->length };
	size_t all = line.length + (end != NULL);

	text->start += all;
	text->length -= all;
	return line;
}

/* "[name]", with anything behind it. */
static bool is_section(struct piece line, const char *section)
{
	const char *end = memchr(line.start, ']', line.length);

	return end != NULL &&
	       is(trim((struct piece){ line.start + 1, (size_t)(end - line.start) - 1 }), section);
}

bool lg_profile_find(const char *text, size_t length, const char *section, const char *key,
		     char *value, size_t capacity)
{
	struct piece rest = { text, length };
	bool inside = false, found = false;

	while (rest.length > 0) {
		struct piece line = next_line(&rest);

		if (line.length == 0 || is_blank(line.start[0]) || line.start[0] == '#' ||
		    line.start[0] == ';')
			continue;
		if (line.start[0] == '[') {
			inside = is_section(line, section);
			continue;
		}
		const char *equals = inside ? memchr(line.start, '=', line.length) : NULL;
		if (equals == NULL)
			continue;
		size_t at = (size_t)(equals - line.start);
		struct piece left = trim((struct piece){ line.start, at });
		struct piece right = trim((struct piece){ equals + 1, line.length - at - 1 });
		if (!is(left, key) || right.length >= capacity ||
		    !lg_line_holds(right.start, right.length))
			continue;
		memcpy(value, right.start, right.length);
		value[right.length] = '\0';
		found = true;
	}
	return found;
}

static int read_all(int fd, struct lg_profile *profile)
{
	while (profile->length <= FILE_MOST) {
		ssize_t got =
			read(fd, profile->text + profile->length, FILE_MOST + 1 - profile->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		profile->length += (size_t)got;
	}
	return -EFBIG;
}

int lg_profile_read(const char *path, struct lg_profile *profile)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (fd < 0)
		return lg_fail(errno, "credentials file '%s' cannot be opened: %s", path,
			       lg_error_name(errno));
	*profile = (struct lg_profile){ .text = malloc(FILE_MOST + 1) };
	error = profile->text == NULL ? -ENOMEM : read_all(fd, profile);
	close(fd);
	if (error == 0)
		return 0;
	lg_profile_end(profile);
	return lg_fail(-error, "credentials file '%s' cannot be read: %s", path,
		       lg_error_name(-error));
}

void lg_profile_end(struct lg_profile *profile)
{
	if (profile->text != NULL)
		explicit_bzero(profile->text, profile->length);
	free(profile->text);
	*profile = (struct lg_profile){ .text = NULL };
}
