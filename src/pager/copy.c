/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * lg_map_read and lg_map_write: each page is held for the length of its copy. To and from memory that is paged itself the copy is
 * by way of the stack: a fault there may need what a page that is held takes.
 */
#include "base/error.h"
#include "pager/atlas.h"
#include "pager/map.h"
#include "pager/pin.h"

#include <errno.h>
#include <string.h>

/* The part of the copy that lies in one page. */
struct piece {
	uint64_t page;
	char *at;
	size_t bytes;
};

enum { BOUNCE_BYTES = 2048 };

static struct piece piece_at(struct lg_map *map, size_t offset, size_t left)
{
	uint64_t page = offset >> map->shift;
	size_t to_end = (size_t)(((page + 1) << map->shift) - offset);

	return (struct piece){ .page = page,
			       .at = map->base + offset,
			       .bytes = left < to_end ? left : to_end };
}

static bool is_paged(const char *buffer, size_t length)
{
	return lg_atlas_find(buffer) != NULL || lg_atlas_find(buffer + length - 1) != NULL;
}

/* One of `out` and `in` is NULL. */
static int copy_piece(struct lg_map *map, const struct piece *piece, char *out, const char *in)
{
	enum lg_os_access access = in != NULL ? LG_OS_ACCESS_WRITE : LG_OS_ACCESS_READ;
	uint64_t signals;
	int error = lg_pin_page(map, piece->page, access, &signals);

	if (error != 0)
		return error;
	if (in != NULL)
		memcpy(piece->at, in, piece->bytes);
	else
		memcpy(out, piece->at, piece->bytes);
	lg_unpin_page(map, piece->page, signals);
	return 0;
}

static int bounce_piece(struct lg_map *map, const struct piece *piece, char *out, const char *in)
{
	char bounce[BOUNCE_BYTES];

	if (in != NULL) {
		memcpy(bounce, in, piece->bytes);
		return copy_piece(map, piece, NULL, bounce);
	}
	int error = copy_piece(map, piece, bounce, NULL);
	if (error == 0)
		memcpy(out, bounce, piece->bytes);
	return error;
}

static ssize_t copy_once(struct lg_map *map, char *out, const char *in, size_t length,
			 size_t offset)
{
	bool bounces = length > 0 && is_paged(in != NULL ? in : out, length);
	size_t most = bounces ? BOUNCE_BYTES : length, done = 0;

	while (done < length) {
		struct piece piece = piece_at(map, offset + done, lg_min(length - done, most));
		int error = (bounces ? bounce_piece : copy_piece)(map, &piece,
								  out != NULL ? out + done : NULL,
								  in != NULL ? in + done : NULL);

		if (error != 0 && map->store->calls->explain != NULL)
			return map->store->calls->explain(map->store, error);
		if (error != 0)
			return lg_fail(-error, "the page at %zu: %s", offset + done,
				       lg_error_name(-error));
		done += piece.bytes;
	}
	return (ssize_t)done;
}

/* All of one version. */
static ssize_t copy(struct lg_map *map, char *out, const char *in, size_t length, size_t offset)
{
	enum { TIMES_MOST = 16 };

	if (offset >= map->bytes)
		return 0;
	length = lg_min(length, map->bytes - offset);
	for (int i = 0; i < TIMES_MOST; i++) {
		uint64_t changes = lg_map_changes(map);
		ssize_t done = copy_once(map, out, in, length, offset);

		if (done < 0 || changes == lg_map_changes(map))
			return done;
	}
	return lg_fail(ESTALE, "it changes faster than %zu bytes of it can be read", length);
}

static int check(const struct lg_map *map, const void *buffer, size_t length)
{
	int error = lg_map_check(map);

	if (error == 0 && buffer == NULL && length > 0)
		error = lg_fail(EINVAL, "the buffer for %zu bytes is NULL", length);
	return error;
}

ssize_t lg_map_read(lg_map *map, void *buffer, size_t length, size_t offset)
{
	int error = check(map, buffer, length);

	return error == 0 ? copy(map, buffer, NULL, length, offset) : error;
}

ssize_t lg_map_write(lg_map *map, const void *buffer, size_t length, size_t offset)
{
	int error = check(map, buffer, length);

	if (error == 0 && map->readonly)
		error = lg_fail(EROFS, "the map is read-only");
	/* 0 would be no error to who writes until all is written, and would be asked for ever. */
	if (error == 0 && length > 0 && offset >= map->bytes)
		error = lg_fail(EINVAL, "%zu bytes at %zu are behind the end of a map of %zu",
				length, offset, (size_t)map->bytes);
	return error == 0 ? copy(map, NULL, buffer, length, offset) : error;
}
