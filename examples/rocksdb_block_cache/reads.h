/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Random reads by several threads, timed one by one, every value compared with what it must be. */
#ifndef ROCKSDB_BLOCK_CACHE_READS_H
#define ROCKSDB_BLOCK_CACHE_READS_H

#include "database.h"

#include <cstdint>

struct reads_result {
	double seconds;
	double p50_us, p99_us, max_us;
	uint64_t wrong; /* values that were missing or other than they must be */
};

/* `count` reads in all. nine in ten are of the first hot_percent of the keys. Throws std::runtime_error. */
reads_result read_at_random(rocksdb::DB *db, const table_shape &shape, uint64_t count,
			    unsigned threads, unsigned hot_percent, uint64_t seed);

#endif
