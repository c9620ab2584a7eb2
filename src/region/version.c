/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include <lgalloc/lgalloc.h>

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

const char *lg_version(void)
{
	return NUMBER(LG_VERSION_MAJOR) "." NUMBER(LG_VERSION_MINOR) "." NUMBER(LG_VERSION_PATCH);
}
