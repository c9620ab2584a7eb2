/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The simple face: a file as memory in three calls, on the default pager. */
#include "base/error.h"
#include "pager/atlas.h"
#include "pager/map.h"

#include <errno.h>

void *lg_file_alloc(const char *path, size_t bytes)
{
	lg_map *map = lg_map_file(NULL, path, bytes, NULL);

	if (map == NULL)
		return NULL;
	map->simple = true;
	return lg_map_data(map);
}

/* By the address that lg_file_alloc returned. Other maps have owners who hold them by more than that. */
static lg_map *map_at(void *address)
{
	lg_map *map = lg_atlas_find(address);

	if (map != NULL && map->base == address && map->simple)
		return map;
	errno = map == NULL && lg_atlas_has_forgotten() ?
			-lg_fail(ECHILD, "%p is of no map here: maps do not survive fork",
				 address) :
			-lg_fail(EINVAL, "%p was not returned by lg_file_alloc", address);
	return NULL;
}

static int answer(int error)
{
	if (error == 0)
		return 0;
	errno = -error;
	return -1;
}

int lg_file_sync(void *address)
{
	lg_map *map = map_at(address);

	return map != NULL ? answer(lg_map_sync(map, 0, 0)) : -1;
}

int lg_file_free(void *address)
{
	lg_map *map = map_at(address);

	return map != NULL ? answer(lg_map_close(map)) : -1;
}
