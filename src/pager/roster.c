/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/roster.h"

#include "os/map.h"
#include "pager/pager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct lg_os_latch lock;
static struct lg_pager *oldest, *newest; /* all under the lock */
static size_t count;
static uint64_t numbers;

void lg_roster_add(struct lg_pager *pager, const char *name)
{
	uint64_t signals = lg_os_latch_hold(&lock);

	if (name != NULL)
		snprintf(pager->name, sizeof(pager->name), "%s", name);
	else
		snprintf(pager->name, sizeof(pager->name), "%" PRIu64, ++numbers);
	pager->older = newest;
	pager->newer = NULL;
	*(newest != NULL ? &newest->newer : &oldest) = pager;
	newest = pager;
	count++;
	lg_os_latch_let_go(&lock, signals);
}

void lg_roster_remove(struct lg_pager *pager)
{
	uint64_t signals = lg_os_latch_hold(&lock);

	*(pager->older != NULL ? &pager->older->newer : &oldest) = pager->newer;
	*(pager->newer != NULL ? &pager->newer->older : &newest) = pager->older;
	count--;
	lg_os_latch_let_go(&lock, signals);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-';
}

static void look(struct lg_pager *pager, struct lg_roster_entry *entry)
{
	memcpy(entry->name, pager->name, sizeof(entry->name));
	for (unsigned i = 0; pager->options.policy[i] != '\0';
	     i++) /* one of the user's may be called anything */
		entry->policy[i] = is_plain(pager->options.policy[i]) ? pager->options.policy[i] :
									'_';
	entry->page_bytes = pager->options.page;
	entry->in_threads = pager->in_threads;
	lg_pager_measure(pager, &entry->stats);
}

void lg_roster_read(struct lg_roster *roster)
{
	uint64_t signals = lg_os_latch_hold(&lock);
	size_t room = count;
	void *memory;

	*roster = (struct lg_roster){ .entries = NULL };
	lg_os_latch_let_go(&lock, signals);
	if (room == 0 || lg_os_map_record(room * sizeof(roster->entries[0]), &memory) != 0)
		return;
	roster->entries = memory;
	roster->capacity = room;
	signals = lg_os_latch_hold(&lock);
	for (struct lg_pager *pager = oldest; pager != NULL && roster->count < room;
	     pager = pager->newer)
		look(pager, &roster->entries[roster->count++]);
	lg_os_latch_let_go(&lock, signals);
}

void lg_roster_end(struct lg_roster *roster)
{
	if (roster->entries != NULL)
		lg_os_unreserve(roster->entries, roster->capacity * sizeof(roster->entries[0]));
}

void lg_roster_forget(void (*each)(struct lg_pager *pager))
{
	for (struct lg_pager *pager = oldest; pager != NULL; pager = pager->newer)
		each(pager);
	oldest = newest = NULL;
	count = 0;
	numbers = 0;
	lg_store_relaxed(&lock.word, (uint32_t)LG_LATCH_FREE);
}
