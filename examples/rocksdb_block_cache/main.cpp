/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * rocksdb_block_cache: random reads of a RocksDB table whose block cache is in regions (block_allocator.cpp) or
 * malloc's, and what is left of its memory when the cache is made smaller.
 *
 *     rocksdb_block_cache --keys=1M --cache-size=256M table
 *     rocksdb_block_cache --keys=1M --cache-size=256M --allocator=default table
 */
#include "../argument.h"
#include "block_allocator.h"
#include "database.h"
#include "memory.h"
#include "reads.h"

#include <argp.h>
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <thread>

namespace
{
enum { THREADS_MAX = 256, KEY_VALUE = 256, KEY_HOT, KEY_SETTLE, KEY_KEEP, KEY_SEED };

struct arguments {
	const char *path = nullptr;
	std::string allocator = "regions";
	const char *backing = nullptr;
	table_shape shape = { 1 << 20, 400, 16 << 10 };
	uint64_t cache_bytes = 256 << 20;
	uint64_t reads = 1 << 20;
	uint64_t seed = 1;
	unsigned threads = 2, hot_percent = 100, settle_ms = 2000;
	unsigned keep_percent = 10;
};

error_t parse(int key, char *text, struct argp_state *state)
{
	arguments &arguments = *static_cast<struct arguments *>(state->input);

	switch (key) {
	case 'a':
		arguments.allocator = text;
		if (arguments.allocator != "default" && arguments.allocator != "regions")
			argp_error(state, "--allocator: %s is neither default nor regions", text);
		break;
	case 'b':
		if (strcmp(text, "anon") != 0 && strcmp(text, "file") != 0)
			argp_error(state, "--backing: %s is neither anon nor file", text);
		arguments.backing = text;
		break;
	case 'k':
		arguments.shape.keys =
			argument_number(state, "--keys", text, 1000, uint64_t(1) << 36);
		break;
	case KEY_VALUE:
		arguments.shape.value_bytes =
			argument_number(state, "--value-bytes", text, 16, 1 << 20);
		break;
	case 's':
		arguments.shape.block_bytes =
			argument_number(state, "--block-size", text, 1 << 10, 16 << 20);
		break;
	case 'c':
		arguments.cache_bytes =
			argument_number(state, "--cache-size", text, 1 << 20, uint64_t(1) << 40);
		break;
	case 'n':
		arguments.reads = argument_number(state, "--reads", text, 1, uint64_t(1) << 34);
		break;
	case 't':
		arguments.threads = static_cast<unsigned>(
			argument_number(state, "--threads", text, 1, THREADS_MAX));
		break;
	case KEY_HOT:
		arguments.hot_percent =
			static_cast<unsigned>(argument_number(state, "--hot", text, 1, 100));
		break;
	case KEY_KEEP:
		arguments.keep_percent =
			static_cast<unsigned>(argument_number(state, "--keep", text, 0, 100));
		break;
	case KEY_SETTLE:
		arguments.settle_ms =
			static_cast<unsigned>(argument_number(state, "--settle", text, 0, 600000));
		break;
	case KEY_SEED:
		arguments.seed = argument_number(state, "--seed", text, 0, UINT32_MAX);
		break;
	case ARGP_KEY_ARG:
		if (arguments.path != nullptr)
			argp_usage(state);
		arguments.path = text;
		break;
	case ARGP_KEY_END:
		if (arguments.path == nullptr)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp_option options[] = {
	{ "allocator", 'a', "KIND", 0, "Of the block cache: regions (default), or default: malloc",
	  0 },
	{ "backing", 'b', "KIND", 0, "Where regions live: anon (default), file", 0 },
	{ "keys", 'k', "KEYS", 0, "Of the table (default: 1M)", 0 },
	{ "value-bytes", KEY_VALUE, "BYTES", 0, "Of each value (default: 400)", 0 },
	{ "block-size", 's', "BYTES", 0, "Of the table's blocks, when it is made (default: 16K)",
	  0 },
	{ "cache-size", 'c', "BYTES", 0, "Of the block cache (default: 256M)", 0 },
	{ "reads", 'n', "READS", 0,
	  "In each of two rounds, the first to warm up; a tenth with the smaller cache (default: 1M)",
	  0 },
	{ "threads", 't', "THREADS", 0, "That read (default: 2)", 0 },
	{ "hot", KEY_HOT, "PERCENT", 0,
	  "Nine in ten reads go to this part of the keys (default: 100)", 0 },
	{ "keep", KEY_KEEP, "PERCENT", 0,
	  "Of the cache that stay when it is made smaller (default: 10)", 0 },
	{ "settle", KEY_SETTLE, "MS", 0,
	  "Look at the memory so long after it was made smaller, and erased (default: 2000)", 0 },
	{ "seed", KEY_SEED, "NUMBER", 0, "Of the random numbers (default: 1)", 0 },
	{ nullptr, 0, nullptr, 0, nullptr, 0 },
};

const struct argp parser = {
	options,
	parse,
	"DIRECTORY",
	"Reads a RocksDB table at random through a block cache in regions. DIRECTORY is made, and the table filled, if "
	"it is new.\vExit status: 0; 1 something failed, or a value was wrong; 2 wrong usage. The environment's "
	"LGALLOC_CONF counts unless --backing is given.",
	nullptr,
	nullptr,
	nullptr,
};

void choose_backing(const arguments &arguments)
{
	const char *backing = arguments.backing;

	if (backing == nullptr && getenv("LGALLOC_CONF") == nullptr)
		backing = "anon";
	if (backing != nullptr && lg_configure((std::string("backing:") + backing).c_str()) != 0)
		throw std::runtime_error(lg_error());
}

/* What is left by itself after a while, and what when told: both allocators have a call for that. */
void look(const arguments &arguments, block_allocator *allocator, const char *what)
{
	std::this_thread::sleep_for(std::chrono::milliseconds(arguments.settle_ms));
	double left = resident_mib();
	if (allocator != nullptr)
		allocator->Trim();
	else
		malloc_trim(0);
	printf("%-8s %10.1f MiB resident %u ms later, %.1f when trimmed\n", what, left,
	       arguments.settle_ms, resident_mib());
}

int run(const arguments &arguments)
{
	std::shared_ptr<block_allocator> allocator;
	rocksdb::LRUCacheOptions cache_options;

	if (arguments.allocator == "regions") {
		choose_backing(arguments);
		allocator = std::make_shared<block_allocator>();
	}
	cache_options.capacity = arguments.cache_bytes;
	cache_options.memory_allocator = allocator;
	std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(cache_options);
	std::unique_ptr<rocksdb::DB> db = open_table(arguments.path, arguments.shape, cache);

	auto measure = [&](const char *name, uint64_t seed, uint64_t reads) {
		double before = processor_seconds();
		reads_result result = read_at_random(db.get(), arguments.shape, reads,
						     arguments.threads, arguments.hot_percent,
						     seed);

		printf("%-8s %10.0f reads/s, p50 %.1f us, p99 %.1f us, max %.0f us, %.2f s of processor time\n",
		       name, static_cast<double>(reads) / result.seconds, result.p50_us,
		       result.p99_us, result.max_us, processor_seconds() - before);
		if (result.wrong > 0)
			throw std::runtime_error(std::to_string(result.wrong) + " wrong values");
		fflush(stdout);
	};
	measure("warm-up", arguments.seed, arguments.reads);
	measure("reads", arguments.seed + 1, arguments.reads);
	printf("cache    %10.1f MiB charged\n", static_cast<double>(cache->GetUsage()) / (1 << 20));
	printf("full     %10.1f MiB resident, at most %.1f\n", resident_mib(), resident_mib_max());
	cache->SetCapacity(arguments.cache_bytes / 100 * arguments.keep_percent);
	look(arguments, allocator.get(), "smaller");
	measure("again", arguments.seed + 2, arguments.reads / 10);
	cache->EraseUnRefEntries();
	look(arguments, allocator.get(), "erased");
	return EXIT_SUCCESS;
}
} // namespace

int main(int count, char **words)
{
	arguments arguments;

	argp_err_exit_status = 2;
	argp_parse(&parser, count, words, 0, nullptr, &arguments);
	try {
		return run(arguments);
	} catch (const std::exception &error) {
		fprintf(stderr, "rocksdb_block_cache: %s\n", error.what());
		return EXIT_FAILURE;
	}
}
