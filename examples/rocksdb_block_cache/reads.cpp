/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "reads.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace
{
using clock_type = std::chrono::steady_clock;

struct reader {
	std::thread thread;
	std::vector<float> microseconds; /* of every read: a million are 4 MiB */
	uint64_t wrong = 0;
	std::string error;
};

void read_some(rocksdb::DB *db, const table_shape &shape, uint64_t count, unsigned hot_percent,
	       uint64_t seed, reader *reader)
{
	std::mt19937_64 random(seed);
	uint64_t hot = std::max<uint64_t>(1, shape.keys / 100 * hot_percent);
	rocksdb::PinnableSlice value;

	reader->microseconds.reserve(count);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t number = random() % (random() % 10 < 9 ? hot : shape.keys);
		std::string key = key_of(number);
		clock_type::time_point begin = clock_type::now();
		rocksdb::Status status =
			db->Get(rocksdb::ReadOptions(), db->DefaultColumnFamily(), key, &value);

		reader->microseconds.push_back(
			std::chrono::duration<float, std::micro>(clock_type::now() - begin).count());
		if (!status.ok() && !status.IsNotFound())
			reader->error = status.ToString();
		/* Few are compared whole: computing a value costs as much as finding one. */
		if (!status.ok() || value.size() != shape.value_bytes ||
		    (i % 16 == 0 && value != value_of(number, shape.value_bytes)))
			reader->wrong++;
		value.Reset();
	}
}
} // namespace

reads_result read_at_random(rocksdb::DB *db, const table_shape &shape, uint64_t count,
			    unsigned threads, unsigned hot_percent, uint64_t seed)
{
	std::vector<reader> readers(threads);
	std::vector<float> all;
	reads_result result = {};
	clock_type::time_point begin = clock_type::now();

	for (unsigned i = 0; i < threads; i++)
		readers[i].thread = std::thread(read_some, db, std::cref(shape), count / threads,
						hot_percent, seed * 1000 + i, &readers[i]);
	for (reader &reader : readers)
		reader.thread.join();
	result.seconds = std::chrono::duration<double>(clock_type::now() - begin).count();
	for (reader &reader : readers) {
		if (!reader.error.empty())
			throw std::runtime_error("reading: " + reader.error);
		all.insert(all.end(), reader.microseconds.begin(), reader.microseconds.end());
		result.wrong += reader.wrong;
	}
	if (all.empty())
		return result;
	auto at = [&all](double share) {
		auto place = all.begin() +
			     static_cast<ptrdiff_t>(share * static_cast<double>(all.size() - 1));

		std::nth_element(all.begin(), place, all.end());
		return static_cast<double>(*place);
	};
	result.p50_us = at(0.5);
	result.p99_us = at(0.99);
	result.max_us = at(1);
	return result;
}
