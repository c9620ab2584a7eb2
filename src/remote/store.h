/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A remote object as a store: read only, of one version, its reads brought by the courier.
 *
 * With a cache reads look there first, and put there what they brought. Without one they may be fetches, that nobody waits for.
 *
 * The first block comes with the answer that tells the object's version, and is kept for the first who reads
 * there.
 */
#ifndef LG_REMOTE_STORE_H
#define LG_REMOTE_STORE_H

#include "remote/options.h"
#include "store/store.h"

/*
 * Asks for the object. -errno in words:
 *   -EINVAL  the URL or an option is wrong
 *   -ENOSYS  there is no libcurl
 *   -EACCES  no credentials, or they are refused
 *   -ENOENT  there is no such object
 *   -EOPNOTSUPP  its version or its length cannot be known
 *   -EPROTO  the server's certificate is not trusted
 *   -EHOSTUNREACH, -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT, -EIO  the network, or the server
 */
int lg_remote_store_open(const char *url, const struct lg_remote_options *options,
			 struct lg_store **store);

#endif
