/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "object.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static sigjmp_buf way_out;
static void *volatile unreadable;

static void on_bus(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	unreadable = info->si_addr;
	siglongjmp(way_out, 1);
}

bool object_open(struct object *object, const char *url, const char *memory, const char *options)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_NODEFER };
	char text[64];

	*object = (struct object){ .pager = NULL };
	/* Before the pager's own handler, which passes on what it cannot serve. */
	sigaction(SIGBUS, &action, NULL);
	snprintf(text, sizeof(text), "memory:%s", memory);
	object->pager = lg_pager_new(text);
	object->map = object->pager != NULL ? lg_map_url(object->pager, url, options) : NULL;
	if (object->map == NULL) {
		fprintf(stderr, "%s\n", lg_error());
		object_close(object);
		return false;
	}
	object->bytes = lg_map_data(object->map);
	object->length = lg_map_size(object->map);
	return true;
}

int object_look(struct object *object, int (*look)(struct object *object, void *argument),
		void *argument)
{
	if (sigsetjmp(way_out, 1) == 0)
		return look(object, argument);
	(void)lg_map_error(object->map, unreadable);
	fprintf(stderr, "byte %td cannot be read: %s\n", (char *)unreadable - object->bytes,
		lg_error());
	return -1;
}

void object_print(const char *bytes, size_t length)
{
	char buffer[4096];

	for (size_t done = 0, some; done < length; done += some) {
		some = length - done < sizeof(buffer) ? length - done : sizeof(buffer);
		memcpy(buffer, bytes + done, some);
		if (fwrite(buffer, 1, some, stdout) != some)
			return; /* ferror knows */
	}
}

void object_tell_cost(const struct object *object)
{
	static struct lg_remote_stats cost;

	if (lg_remote_stats_read(&cost) == 0)
		fprintf(stderr, "fetched %" PRIu64 " of %zu bytes in %" PRIu64 " requests\n",
			cost.bytes_fetched, object->length, cost.gets);
}

void object_close(struct object *object)
{
	(void)lg_map_close(object->map);
	if (object->pager != NULL)
		(void)lg_pager_free(object->pager);
}
