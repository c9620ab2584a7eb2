/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The lines of a GET for a range of an object: what is asked for, of which version, and who asks. */
#ifndef LG_REMOTE_REQUEST_H
#define LG_REMOTE_REQUEST_H

#include "remote/curl.h"
#include "remote/object.h"

/* To `url`, the object's address or where that leads. -ENOMEM; -errno, noted. */
int lg_request_make(struct lg_object *object, const struct lg_url *url, uint64_t first,
		    uint64_t last, struct curl_slist **lines);

#endif
