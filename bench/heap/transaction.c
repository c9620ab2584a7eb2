/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/transaction.h"

#include "heap/peer.h"
#include "workload/result.h"

#ifdef BENCH_LMDB

#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { VALUE_BYTES = 64, ENTRY_BYTES = 96, BATCH = 10000 };

static MDB_env *environment;
static MDB_dbi database;
static uint64_t spread; /* keys between two that are asked for */

static void must(int error, const char *what)
{
	if (error != 0)
		result_fail("lmdb: %s: %s", what, mdb_strerror(error));
}

static void put(MDB_txn *transaction, uint64_t number, uint64_t word, bool append)
{
	uint64_t value_words[VALUE_BYTES / sizeof(uint64_t)] = { word };
	uint64_t ordered = __builtin_bswap64(number);
	MDB_val key = { sizeof(ordered), &ordered }, value = { VALUE_BYTES, value_words };

	must(mdb_put(transaction, database, &key, &value, append ? MDB_APPEND : 0), "mdb_put");
}

static void fill(uint64_t keys)
{
	MDB_txn *transaction;

	for (uint64_t done = 0; done < keys;) {
		must(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
		if (done == 0)
			must(mdb_dbi_open(transaction, NULL, 0, &database), "mdb_dbi_open");
		for (int i = 0; i < BATCH && done < keys; i++)
			put(transaction, done++, 0, true);
		must(mdb_txn_commit(transaction), "mdb_txn_commit");
	}
}

void transaction_open(size_t bytes)
{
	char path[PATH_MAX], lock[PATH_MAX + 8];

	peer_path(path, "lmdb");
	must(mdb_env_create(&environment), "mdb_env_create");
	must(mdb_env_set_mapsize(environment, bytes * 2 + (64 << 20)), "mdb_env_set_mapsize");
	must(mdb_env_open(environment, path, MDB_NOSUBDIR, 0600), "mdb_env_open");
	snprintf(lock, sizeof(lock), "%s-lock", path);
	unlink(path);
	unlink(lock);
	fill(bytes / ENTRY_BYTES);
	spread = 4096 / ENTRY_BYTES;
}

void transaction_put(uint64_t key, uint64_t word)
{
	MDB_txn *transaction;

	must(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
	put(transaction, key * spread, word, false);
	must(mdb_txn_commit(transaction), "mdb_txn_commit");
}

void transaction_close(void)
{
	mdb_env_close(environment);
}

const char *peer_version_lmdb(void)
{
	return mdb_version(NULL, NULL, NULL);
}

#else

void transaction_open(size_t bytes)
{
	(void)bytes;
	result_skip("LMDB's package was not there at the build");
}

void transaction_put(uint64_t key, uint64_t word)
{
	(void)key, (void)word;
}

void transaction_close(void)
{
}

#endif
