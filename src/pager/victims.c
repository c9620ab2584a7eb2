/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/victims.h"

#include "pager/budget.h"
#include "pager/map.h"
#include "pager/refused.h"

/* The policy whose maps have most in memory, of those not `tried`. Under the lock. */
static struct lg_policy_use *largest_use(struct lg_pager *pager, uint32_t tried)
{
	_Static_assert(LG_POLICY_USES <= 32, "`tried` has a bit for each");
	struct lg_policy_use *largest = NULL;

	for (unsigned i = 0; i < LG_POLICY_USES; i++) {
		struct lg_policy_use *use = &pager->residents.uses[i];

		if (use->state != NULL && (tried >> i & 1) == 0 &&
		    (largest == NULL || use->bytes > largest->bytes))
			largest = use;
	}
	return largest;
}

/* False: somebody works on it, it is recent, or pinned. */
static bool claim_victim(struct lg_map *map, uint64_t page)
{
	lg_word *word = &map->words[page];
	uint64_t seen = lg_load_relaxed(word);

	while (lg_word_is_mapped(seen) && (seen & (LG_WORD_STAYS | LG_WORD_RECENTS)) == 0) {
		if ((seen & LG_WORD_BUSY) != 0)
			return false;
		if (lg_word_claim(word, &seen)) /* W2 */
			return true;
	}
	return false;
}

/*
 * Somebody works on a page that is in the map. He may be in a store that does not come back: so many of these that no others are
 * reached wait with what was refused. BUSY is his: it stays mapped, or he takes it out of what it is in, under the lock.
 */
static bool can_wait_aside(struct lg_map *map, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]);

	return (seen & LG_WORD_BUSY) != 0 && lg_word_is_mapped(seen);
}

/* Handles of this policy's pages, claimed: how many. Under the lock. */
static unsigned choose_from(struct lg_pager *pager, struct lg_policy_use *use,
			    uint32_t victims[LG_BATCH], uint64_t wanted)
{
	struct lg_residents *residents = &pager->residents;
	uint64_t bytes = 0;
	unsigned count = 0, passed = 0, busy = 0;

	while (count < LG_BATCH && (count == 0 || bytes < wanted)) {
		uint32_t handle = lg_resident_victim(pager, use);

		if (handle == LG_HANDLE_NONE)
			break;
		struct lg_map *map = lg_map_of(pager, residents->table[handle].map);
		uint64_t page = residents->table[handle].page;
		if (claim_victim(map, page)) {
			victims[count++] = handle;
			bytes += lg_map_page_bytes(map);
		} else if (lg_resident_set_aside(map, handle)) {
			continue;
		} else if (can_wait_aside(map, page) && ++busy > LG_PASSED_OVER_BUSY) {
			lg_refused_add(map, handle);
		} else if (passed < LG_PASSED_OVER) {
			residents->passed_over[passed++] = handle;
		} else {
			lg_resident_put_back(map, handle);
			break;
		}
	}
	while (passed-- > 0) {
		uint32_t handle = residents->passed_over[passed];

		lg_resident_put_back(lg_map_of(pager, residents->table[handle].map), handle);
	}
	return count;
}

/* Lately fewer came back from limbo than it costs to take them there one by one. */
static bool limbo_pays(struct lg_frames *frames)
{
	enum { KNOWN = 256, PART = 8, SAMPLE = 16 };

	return frames->entered < KNOWN || frames->returned >= frames->entered / PART ||
	       ++frames->batches % SAMPLE == 0;
}

/*
 * A batch of what was refused is the policies' again, but of `left` pages, which were so when the search began: what it sets aside
 * itself is not met twice, or it might never end. Under the lock.
 */
static bool join_refused(struct lg_pager *pager, uint32_t *left)
{
	unsigned count = 0;

	for (; count<LG_BATCH && * left> 0 && lg_refused_join_oldest(pager); --*left)
		count++;
	return count > 0;
}

static bool comes_before(const struct lg_residents *residents, uint32_t a, uint32_t b)
{
	const struct lg_resident *one = &residents->table[a], *other = &residents->table[b];

	return one->map != other->map ? one->map < other->map : one->page < other->page;
}

/* Shell sort: victims of a scan come nearly in order. qsort may call malloc. */
static void sort(const struct lg_residents *residents, uint32_t *handles, unsigned count)
{
	for (unsigned gap = 121; gap > 0; gap /= 3)
		for (unsigned i = gap; i < count; i++) {
			uint32_t handle = handles[i];
			unsigned k = i;

			for (; k >= gap && comes_before(residents, handle, handles[k - gap]);
			     k -= gap)
				handles[k] = handles[k - gap];
			handles[k] = handle;
		}
}

unsigned lg_victims_choose(struct lg_pager *pager, uint32_t victims[LG_BATCH], uint64_t wanted,
			   unsigned *pays, bool *joined)
{
	struct lg_policy_use *use;
	unsigned count = 0;
	uint32_t tried;
	uint64_t signals = lg_pager_lock(pager);
	uint32_t left = pager->residents.refused.count;

	lg_policy_follow_pages(pager);
	lg_budget_note_tables(pager);
	lg_recent_trim(pager);
	*joined = false;
	do {
		tried = 0;
		while (count == 0 && (use = largest_use(pager, tried)) != NULL) {
			count = choose_from(pager, use, victims, wanted);
			tried |= (uint32_t)1 << (use - pager->residents.uses);
		}
	} while (count == 0 &&
		 (*joined = lg_piece_join_oldest(pager) || join_refused(pager, &left)));
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++)
		*pays |= (unsigned)limbo_pays(&pager->frames[i]) << i;
	lg_pager_unlock(pager, signals);
	sort(&pager->residents, victims, count);
	return count;
}
