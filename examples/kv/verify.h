/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Whether a store is what so many operations of a work leave. */
#ifndef EXAMPLES_KV_VERIFY_H
#define EXAMPLES_KV_VERIFY_H

#include "tree.h"
#include "work.h"

/* 0; or 1, with what is wrong on stderr. */
int verify(const struct tree *tree, const struct work *work, uint64_t operations);

#endif
