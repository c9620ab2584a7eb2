/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A store of the user's own (lgalloc/store.h), as the pager sees it: whole ranges, within its bytes. */
#ifndef LG_STORE_USER_H
#define LG_STORE_USER_H

#include "store/store.h"

#include <lgalloc/store.h>

/*
 * Copies `ops`. Read only if it cannot write. -errno in words, and nothing of `ops` was called: -EINVAL for
 * no bytes, a missing read, a size that is not this library's.
 */
int lg_user_store_open(const struct lg_store_ops *ops, void *context, uint64_t bytes, bool readonly,
		       struct lg_store **store);

/* What its owner is promised where there is no store after all: the last call. */
void lg_user_store_refuse(const struct lg_store_ops *ops, void *context);

#endif
