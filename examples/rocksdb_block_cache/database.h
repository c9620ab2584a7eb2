/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A table of numbered keys whose values anybody can compute, in RocksDB, read through a block cache.
 * Compression is Snappy's; about half of a value repeats.
 */
#ifndef ROCKSDB_BLOCK_CACHE_DATABASE_H
#define ROCKSDB_BLOCK_CACHE_DATABASE_H

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <string>

struct table_shape {
	uint64_t keys;
	size_t value_bytes;
	size_t block_bytes;
};

std::string key_of(uint64_t number);
std::string value_of(uint64_t number, size_t bytes);

/*
 * Opens the database, and fills and compacts it if it is new. The cache has the blocks of data; indexes and
 * filters stay in memory. Direct reads: the kernel keeps no second copy. Throws std::runtime_error.
 */
std::unique_ptr<rocksdb::DB> open_table(const std::string &path, const table_shape &shape,
					const std::shared_ptr<rocksdb::Cache> &cache);

#endif
