/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/misuse.h"

#include "base/error.h"

#include <stdlib.h>

_Noreturn void lg_misuse(const char *call, const void *address, const char *what)
{
	lg_say("%s(%p): %s", call, address, what);
	abort();
}
