/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An object of S3 or the web as memory, for as long as a program looks at it.
 *
 * Memory that cannot be read is SIGBUS, and a network fails where disks do not: so what looks at the object runs inside
 * object_look, which ends it there and says why.
 */
#ifndef URL_OBJECT_H
#define URL_OBJECT_H

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stddef.h>

struct object {
	lg_pager *pager;
	lg_map *map;
	const char *bytes; /* touching them fetches them, and no others */
	size_t length;
};

/* False, and said on stderr. `memory`: what the object may have of it, as "64M"; `options`: of lg_map_url(3). */
bool object_open(struct object *object, const char *url, const char *memory, const char *options);

/* Runs `look`, whose result it returns; -1, and said on stderr, where bytes could not be read. One thread at a time. */
int object_look(struct object *object, int (*look)(struct object *object, void *argument),
		void *argument);

/*
 * Bytes of the object on standard output, by way of a buffer: the kernel brings no pages for write(2), but to a pager with
 * faults:threads.
 */
void object_print(const char *bytes, size_t length);

/* How many bytes came for it, in how many requests, on stderr. */
void object_tell_cost(const struct object *object);

void object_close(struct object *object);

#endif
