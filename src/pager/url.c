/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lg_map_url: a map whose store is a remote object. */
#include "base/error.h"
#include "os/thread.h"
#include "pager/map.h"
#include "remote/store.h"

#include <errno.h>
#include <string.h>

/* What is put into the map at once; a touch reads more, for a round trip brings it in hardly more time. */
#define PAGE_BYTES LG_KIB(64)
/* With a cache, whose blocks have so much, it is one block. */
#define PAGE_BYTES_CACHED LG_KIB(256)

enum { PAGE_PART = 64 };

struct wish {
	struct lg_map_options map;
	struct lg_remote_options remote;
};

/* clang-format off */
static const struct lg_setting rows[] = {
	{ .name = "page", .type = LG_SETTING_POWER, .low = LG_KIB(4), .high = LG_MIB(2),
	  .offset = offsetof(struct wish, map.page) },
	{ .name = "prefetch", .type = LG_SETTING_SWITCH, .high = 1,
	  .offset = offsetof(struct wish, map.prefetch) },
	{ .name = "policy", .type = LG_SETTING_NAME, .capacity = LG_POLICY_NAME_BYTES,
	  .offset = offsetof(struct wish, map.policy) },
#define ROW(name_, type_, words_, value, low_, high_) \
	{ .name = #name_, .type = LG_SETTING_##type_, .words = words_, .low = low_, .high = high_, \
	  .offset = offsetof(struct wish, remote.name_) },
	LG_REMOTE_OPTIONS(ROW)
#undef ROW
#define ROW(name_, type_, capacity_, secret) \
	{ .name = #name_, .type = LG_SETTING_##type_, .capacity = capacity_, .is_secret = secret, \
	  .offset = offsetof(struct wish, remote.name_) },
	LG_REMOTE_STRINGS(ROW)
#undef ROW
};
/* clang-format on */

static uint64_t default_page(const struct lg_pager *pager, bool is_cached)
{
	uint64_t part = lg_load_relaxed(&pager->budget) / PAGE_PART;

	return lg_min(is_cached ? PAGE_BYTES_CACHED : PAGE_BYTES,
		      (uint64_t)1 << lg_log2_floor(part));
}

static int parse(const char *text, const struct lg_pager *pager, struct wish *wish)
{
	static const struct lg_settings table = { .rows = rows,
						  .count = sizeof(rows) / sizeof(rows[0]),
						  .manual = "lg_map_url(3)" };
	int error = lg_map_options_parse(NULL, &pager->options, LG_MAP_STORE, &wish->map);

	wish->map.page = 0;
	lg_remote_options_start(&wish->remote);
	if (error == 0 && text != NULL)
		error = lg_settings_parse(&table, text, wish);
	if (wish->map.page == 0)
		wish->map.page = default_page(pager, wish->remote.cache_dir[0] != '\0');
	return error;
}

static int map_url(struct lg_pager *pager, const char *url, const char *text, struct lg_map **map)
{
	struct lg_store *store;
	struct wish wish;
	int error = parse(text, pager, &wish);

	if (error == 0)
		error = lg_remote_store_open(url, &wish.remote, &store);
	explicit_bzero(&wish.remote, sizeof(wish.remote));
	if (error != 0)
		return error;
	error = lg_pager_add_readers(pager);
	if (error != 0) {
		store->calls->close(store);
		return error;
	}
	*map = lg_map_make(pager, store, &wish.map);
	return *map != NULL ? 0 : -errno;
}

lg_map *lg_map_url(lg_pager *pager, const char *url, const char *text)
{
	struct lg_map *map = NULL;

	pager = lg_pager_of_caller(pager);
	if (pager == NULL)
		return NULL;
	int cancel = lg_os_cancel_hold();
	int error = map_url(pager, url, text, &map);
	lg_os_cancel_restore(cancel);
	if (error == 0)
		return map;
	errno = -error;
	return NULL;
}
