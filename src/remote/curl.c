/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/curl.h"

#include "base/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { VERSION_LEAST = 0x075500 }; /* 7.85: protocols by name, and poll that is woken */

struct lg_curl lg_curl;

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found)); /* ISO C knows no cast for that */
	return found != NULL;
}

static bool find_all(void *library)
{
	bool all = true;

#define FIND(name) all = find(library, #name, &lg_curl.name##_) && all;
	LG_CURL_FUNCTIONS(FIND)
#undef FIND
	return all;
}

int lg_curl_load(void)
{
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };
	static bool loaded;

	if (loaded)
		return 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

		if (library == NULL)
			continue;
		if (find_all(library) &&
		    lg_curl.curl_version_info_(CURLVERSION_NOW)->version_num >= VERSION_LEAST &&
		    lg_curl.curl_global_init_(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
			loaded = true;
			return 0;
		}
		dlclose(library);
	}
	return lg_fail(ENOSYS,
		       "URLs need libcurl 7.85 or later, which is not there: install libcurl4");
}
