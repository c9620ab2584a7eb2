/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * libcurl, loaded when the first URL is mapped: programs that map none do not have it, nor its dozens of libraries,
 * and the malloc shim never has.
 */
#ifndef LG_REMOTE_CURL_H
#define LG_REMOTE_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define LG_CURL_FUNCTIONS(X)                                                                       \
	X(curl_global_init)                                                                        \
	X(curl_version_info)                                                                       \
	X(curl_easy_init)                                                                          \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_reset)                                                                         \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_strerror)                                                                      \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)                                                                     \
	X(curl_multi_init)                                                                         \
	X(curl_multi_cleanup)                                                                      \
	X(curl_multi_setopt)                                                                       \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_perform)                                                                      \
	X(curl_multi_socket_action)                                                                \
	X(curl_multi_poll)                                                                         \
	X(curl_multi_wakeup)                                                                       \
	X(curl_multi_info_read)

/* Members have the functions' names and an underscore behind, for some names are macros. */
struct lg_curl {
#define LG_CURL_MEMBER(name) __typeof__(name) *name##_;
	LG_CURL_FUNCTIONS(LG_CURL_MEMBER)
#undef LG_CURL_MEMBER
};

extern struct lg_curl lg_curl;

/* -ENOSYS in words: there is none, or it is older than 7.85. Callers serialise. */
int lg_curl_load(void);

#endif
