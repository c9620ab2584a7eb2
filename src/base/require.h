/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Assertions: LG_REQUIRE always on, for corruption; LG_ASSERT in debug builds. */
#ifndef LG_BASE_REQUIRE_H
#define LG_BASE_REQUIRE_H

#include "base/error.h"

#include <stdlib.h>

#define LG_REQUIRE(what) ((what) ? (void)0 : lg_require_failed(#what, __FILE__, __LINE__))

#ifdef NDEBUG
#define LG_ASSERT(what) ((void)sizeof(what))
#else
#define LG_ASSERT(what) LG_REQUIRE(what)
#endif

static inline _Noreturn void lg_require_failed(const char *what, const char *file, int line)
{
	lg_say("%s:%d: broken: %s", file, line, what);
	abort();
}

#endif
