/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/policy.h"

#include "base/atomic.h"
#include "base/error.h"
#include "os/map.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static const struct {
	const struct lg_policy_ops *ops;
	uint64_t (*bytes)(const void *state, uint32_t handles);
	void (*check)(const void *state);
} builtin[] = {
#define LG_POLICY_ROW(name)                                                                        \
	{ &lg_policy_##name, lg_policy_##name##_bytes, lg_policy_##name##_check },
	LG_POLICIES(LG_POLICY_ROW)
#undef LG_POLICY_ROW
};

/* Grows only: who has read the count reads the entries below it without the lock. */
static struct lg_policy users[LG_POLICY_USERS];
static _Atomic(uint32_t) user_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void lg_policy_forget(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

bool lg_policy_at(unsigned place, struct lg_policy *policy)
{
	if (place < LG_POLICY_BUILTIN) {
		*policy = (struct lg_policy){ builtin[place].ops, NULL };
		return true;
	}
	if (place - LG_POLICY_BUILTIN >= lg_load_acquire(&user_count))
		return false;
	*policy = users[place - LG_POLICY_BUILTIN];
	return true;
}

bool lg_policy_find(const char *name, size_t length, struct lg_policy *policy)
{
	for (unsigned place = 0; lg_policy_at(place, policy); place++)
		if (strlen(policy->ops->name) == length &&
		    memcmp(policy->ops->name, name, length) == 0)
			return true;
	return false;
}

int lg_policy_named(const char *name, struct lg_policy *policy)
{
	char names[160];

	if (lg_policy_find(name, strlen(name), policy))
		return 0;
	lg_policy_names(names, sizeof(names));
	return lg_fail(EINVAL, "there is no policy '%s'; there are %s", name, names);
}

void lg_policy_names(char *text, size_t bytes)
{
	struct lg_policy policy;
	size_t used = 0;

	text[0] = '\0';
	for (unsigned place = 0; lg_policy_at(place, &policy); place++) {
		const char *name = policy.ops->name, *between = place > 0 ? ", " : "";
		size_t length = strlen(between) + strlen(name);

		if (length >= bytes - used)
			return;
		strcat(strcat(text + used, between), name);
		used += length;
	}
}

uint64_t lg_policy_bytes(const struct lg_policy_ops *ops, const void *state, uint32_t handles)
{
	enum { USERS_BYTES = 24 };

	for (unsigned i = 0; i < LG_POLICY_BUILTIN; i++)
		if (builtin[i].ops == ops)
			return builtin[i].bytes(state, handles);
	return (uint64_t)handles * USERS_BYTES;
}

void lg_policy_check(const struct lg_policy_ops *ops, const void *state)
{
	for (unsigned i = 0; i < LG_POLICY_BUILTIN; i++)
		if (builtin[i].ops == ops)
			builtin[i].check(state);
}

/* Pages by themselves: a huge one would be taken for the first handle. */
void *lg_policy_memory(size_t bytes)
{
	size_t page = lg_os_page_bytes();
	void *memory;

	bytes = (bytes + page - 1) / page * page;
	if (lg_os_reserve(bytes, page, &memory) != 0)
		return NULL;
	if (lg_os_map_unlocked(memory, bytes) != 0) {
		lg_os_unreserve(memory, bytes);
		return NULL;
	}
	(void)lg_os_advise(memory, bytes, LG_OS_NOHUGEPAGE);
	return memory;
}

void lg_policy_memory_end(void *memory, size_t bytes)
{
	size_t page = lg_os_page_bytes();

	lg_os_unreserve(memory, (bytes + page - 1) / page * page);
}

/* Why it cannot be a policy; NULL: it can. */
static const char *what_is_wrong(const struct lg_policy_ops *ops)
{
	if (ops == NULL)
		return "it is NULL";
	if (ops->size < sizeof(*ops))
		return "its size is not that of struct lg_policy_ops";
	if (ops->name == NULL || ops->name[0] == '\0' ||
	    strnlen(ops->name, LG_POLICY_NAME_BYTES) == LG_POLICY_NAME_BYTES)
		return "its name is not of 1 to 31 bytes";
	if (strpbrk(ops->name, ":, \t\n") != NULL)
		return "its name has a colon, a comma or a space, which options cannot have";
	if (ops->create == NULL || ops->destroy == NULL || ops->fill == NULL ||
	    ops->touch == NULL || ops->victim == NULL || ops->put_back == NULL ||
	    ops->remove == NULL)
		return "a function other than retarget is NULL";
	return NULL;
}

int lg_policy_register(const struct lg_policy_ops *ops, void *argument)
{
	const char *wrong = what_is_wrong(ops);
	struct lg_policy other;
	int error = 0;

	if (wrong != NULL)
		return lg_fail(EINVAL, "the policy cannot be registered: %s", wrong);
	pthread_mutex_lock(&lock);
	uint32_t count = lg_load_relaxed(&user_count);
	if (lg_policy_find(ops->name, strlen(ops->name), &other))
		error = lg_fail(EEXIST, "there is a policy '%s' already", ops->name);
	else if (count == LG_POLICY_USERS)
		error = lg_fail(ENOSPC, "policy '%s': %d are registered, and no more can be",
				ops->name, LG_POLICY_USERS);
	if (error == 0) {
		users[count] = (struct lg_policy){ ops, argument };
		lg_store_release(&user_count, count + 1);
	}
	pthread_mutex_unlock(&lock);
	return error;
}
