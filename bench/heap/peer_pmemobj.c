/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * libpmemobj: each call is a transaction of its own. On a file of a disk it would call msync for each store; told by
 * PMEM_IS_PMEM_FORCE that the file is persistent memory it flushes the processor's lines only, which is its best.
 */
#include "heap/peer.h"

#include "workload/result.h"

#include <libpmemobj.h>
#include <stdio.h>

static PMEMobjpool *pool;

static block *take(size_t bytes)
{
	PMEMoid object;

	if (pmemobj_alloc(pool, &object, bytes, 0, NULL, NULL) != 0)
		return NULL;
	return pmemobj_direct(object);
}

static void give(block *given)
{
	PMEMoid object = pmemobj_oid(given);

	pmemobj_free(&object);
}

static block *resize(block *kept, size_t bytes)
{
	PMEMoid object = kept != NULL ? pmemobj_oid(kept) : OID_NULL;

	return pmemobj_realloc(pool, &object, bytes, 0) == 0 ? pmemobj_direct(object) : NULL;
}

void peer_open_pmemobj(struct block_calls *calls, const char *path)
{
	pool = pmemobj_create(path, "bench", PEER_BYTES, 0600);
	if (pool == NULL)
		result_skip("libpmemobj: %s", pmemobj_errormsg());
	*calls = (struct block_calls){ take, give, resize };
}

const char *peer_version_pmemobj(void)
{
	static char version[32];

	snprintf(version, sizeof(version), "interface %d.%d", PMEMOBJ_MAJOR_VERSION,
		 PMEMOBJ_MINOR_VERSION);
	return version;
}
