/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "database.h"

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace
{
uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void require(const rocksdb::Status &status, const std::string &what)
{
	if (!status.ok())
		throw std::runtime_error(what + ": " + status.ToString());
}

void fill(rocksdb::DB *db, const table_shape &shape)
{
	constexpr uint64_t batch_keys = 1000;
	rocksdb::WriteOptions options;

	options.disableWAL = true;
	for (uint64_t first = 0; first < shape.keys; first += batch_keys) {
		rocksdb::WriteBatch batch;

		for (uint64_t i = first; i < first + batch_keys && i < shape.keys; i++)
			require(batch.Put(key_of(i), value_of(i, shape.value_bytes)), "filling");
		require(db->Write(options, &batch), "filling");
	}
	require(db->Flush({}), "filling");
	require(db->CompactRange({}, nullptr, nullptr), "compacting");
}
} // namespace

std::string key_of(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "key%016llu", static_cast<unsigned long long>(number));
	return text;
}

std::string value_of(uint64_t number, size_t bytes)
{
	std::string value(bytes, 'v');

	for (size_t at = 0; at + 8 <= bytes; at += 16) {
		uint64_t word = mix(number * 0x9e3779b97f4a7c15u + at + 1);

		memcpy(&value[at], &word, sizeof(word));
	}
	return value;
}

std::unique_ptr<rocksdb::DB> open_table(const std::string &path, const table_shape &shape,
					const std::shared_ptr<rocksdb::Cache> &cache)
{
	rocksdb::BlockBasedTableOptions table;
	rocksdb::Options options;
	rocksdb::DB *db = nullptr;
	std::string last;

	table.block_cache = cache;
	table.block_size = shape.block_bytes;
	table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
	options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
	options.create_if_missing = true;
	options.compression = rocksdb::kSnappyCompression;
	options.use_direct_reads = true;
	options.max_open_files = -1;
	require(rocksdb::DB::Open(options, path, &db), path);
	std::unique_ptr<rocksdb::DB> opened(db);
	rocksdb::Status status = db->Get({}, key_of(shape.keys - 1), &last);
	if (status.IsNotFound())
		fill(db, shape);
	else
		require(status, path);
	return opened;
}
