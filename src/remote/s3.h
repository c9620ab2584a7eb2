/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Where an object of S3 is to be asked for. */
#ifndef LG_REMOTE_S3_H
#define LG_REMOTE_S3_H

#include "remote/options.h"
#include "remote/url.h"

/*
 * The http or https URL of s3://bucket/key. `endpoint` "": AWS's of the region, by https. With style auto the
 * bucket is the host's first part at AWS, unless its name is none of a host or has dots, which certificates do
 * not cover; elsewhere it is the path's. -EINVAL in words.
 */
int lg_s3_address(const struct lg_url *object, const char *endpoint, const char *region,
		  enum lg_remote_style style, struct lg_url *address);

#endif
