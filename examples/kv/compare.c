/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The same work in a persistent heap and in LMDB: kv_compare [OPTION...] DIRECTORY. Puts and deletes of work.c with a durable
 * commit (LMDB: transaction) after every N, gets of random keys, a scan of all; and both must have the same in
 * them in the end. Rounds in turn, medians.
 */
#include "../argument.h"
#include "tree.h"
#include "work.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- stores ------------------------------------------------------------------------------------- */

union store {
	struct {
		lg_heap *heap;
		struct tree tree;
	} heap;
	struct {
		MDB_env *environment;
		MDB_txn *transaction; /* the writer's, always open */
		MDB_dbi database;
	} lmdb;
};

struct counted {
	uint64_t items;
	uint64_t bytes;
	uint64_t sum; /* of everything in order */
};

/* 0, or 1 with a line on stderr. */
struct store_kind {
	const char *name;
	int (*open)(union store *store, const char *path);
	int (*put)(union store *store, const char *key, const void *value, size_t bytes);
	int (*delete)(union store *store, const char *key);
	int (*commit)(union store *store);
	int (*begin_reads)(union store *store);
	bool (*get)(union store *store, const char *key, struct counted *counted);
	int (*scan)(union store *store, struct counted *counted);
	void (*close)(union store *store);
};

static void count(struct counted *counted, const void *key, size_t key_bytes, const void *value,
		  size_t value_bytes)
{
	const unsigned char *bytes = value;

	counted->items++;
	counted->bytes += key_bytes + value_bytes;
	counted->sum = counted->sum * 31 + ((const unsigned char *)key)[key_bytes - 1];
	for (size_t i = 0; i < value_bytes; i += 16)
		counted->sum = counted->sum * 31 + bytes[i];
}

static int failed_heap(const char *what)
{
	fprintf(stderr, "kv_compare: heap: %s: %s\n", what, lg_error());
	return 1;
}

static int heap_open(union store *store, const char *path)
{
	store->heap.heap = lg_heap_open(path, "create:on");
	if (store->heap.heap == NULL || tree_open(&store->heap.tree, store->heap.heap) != 0)
		return failed_heap("open");
	return 0;
}

static int heap_put(union store *store, const char *key, const void *value, size_t bytes)
{
	if (tree_put(&store->heap.tree, key, WORK_KEY_BYTES, value, bytes) != 0)
		return failed_heap("put");
	return 0;
}

static int heap_delete(union store *store, const char *key)
{
	(void)tree_delete(&store->heap.tree, key, WORK_KEY_BYTES);
	return 0;
}

static int heap_commit(union store *store)
{
	return lg_heap_commit(store->heap.heap) != 0 ? failed_heap("commit") : 0;
}

static int heap_begin_reads(union store *store)
{
	(void)store;
	return 0;
}

static bool heap_get(union store *store, const char *key, struct counted *counted)
{
	const struct tree_item *item = tree_get(&store->heap.tree, key, WORK_KEY_BYTES);

	if (item != NULL)
		count(counted, item->bytes, item->key_bytes, tree_value(item), item->value_bytes);
	return item != NULL;
}

static int count_item(void *argument, const struct tree_item *item)
{
	count(argument, item->bytes, item->key_bytes, tree_value(item), item->value_bytes);
	return 0;
}

static int heap_scan(union store *store, struct counted *counted)
{
	return tree_scan(&store->heap.tree, NULL, 0, count_item, counted);
}

static void heap_close(union store *store)
{
	if (lg_heap_close(store->heap.heap) != 0)
		failed_heap("close");
}

static int failed_lmdb(const char *what, int error)
{
	fprintf(stderr, "kv_compare: lmdb: %s: %s\n", what, mdb_strerror(error));
	return 1;
}

static int lmdb_open(union store *store, const char *path)
{
	int error = mdb_env_create(&store->lmdb.environment);

	store->lmdb.transaction = NULL;
	if (error == 0)
		error = mdb_env_set_mapsize(store->lmdb.environment, (size_t)1 << 36);
	if (error == 0)
		error = mdb_env_open(store->lmdb.environment, path, MDB_NOSUBDIR, 0644);
	if (error == 0)
		error = mdb_txn_begin(store->lmdb.environment, NULL, 0, &store->lmdb.transaction);
	if (error == 0)
		error = mdb_dbi_open(store->lmdb.transaction, NULL, 0, &store->lmdb.database);
	return error != 0 ? failed_lmdb("open", error) : 0;
}

static MDB_val value_of(const void *bytes, size_t length)
{
	return (MDB_val){ .mv_size = length, .mv_data = (void *)(uintptr_t)bytes };
}

static int lmdb_put(union store *store, const char *key, const void *value, size_t bytes)
{
	MDB_val of = value_of(key, WORK_KEY_BYTES), is = value_of(value, bytes);
	int error = mdb_put(store->lmdb.transaction, store->lmdb.database, &of, &is, 0);

	return error != 0 ? failed_lmdb("put", error) : 0;
}

static int lmdb_delete(union store *store, const char *key)
{
	MDB_val of = value_of(key, WORK_KEY_BYTES);
	int error = mdb_del(store->lmdb.transaction, store->lmdb.database, &of, NULL);

	return error != 0 && error != MDB_NOTFOUND ? failed_lmdb("delete", error) : 0;
}

static int lmdb_commit(union store *store)
{
	int error = mdb_txn_commit(store->lmdb.transaction);

	store->lmdb.transaction = NULL;
	if (error == 0)
		error = mdb_txn_begin(store->lmdb.environment, NULL, 0, &store->lmdb.transaction);
	return error != 0 ? failed_lmdb("commit", error) : 0;
}

/* Reads have a transaction of their own kind, and all of one. */
static int lmdb_begin_reads(union store *store)
{
	mdb_txn_abort(store->lmdb.transaction);
	store->lmdb.transaction = NULL;
	int error =
		mdb_txn_begin(store->lmdb.environment, NULL, MDB_RDONLY, &store->lmdb.transaction);
	return error != 0 ? failed_lmdb("read", error) : 0;
}

static bool lmdb_get(union store *store, const char *key, struct counted *counted)
{
	MDB_val of = value_of(key, WORK_KEY_BYTES), is;
	int error = mdb_get(store->lmdb.transaction, store->lmdb.database, &of, &is);

	if (error == 0)
		count(counted, of.mv_data, of.mv_size, is.mv_data, is.mv_size);
	return error == 0;
}

static int lmdb_scan(union store *store, struct counted *counted)
{
	MDB_cursor *cursor;
	MDB_val of, is;
	int error = mdb_cursor_open(store->lmdb.transaction, store->lmdb.database, &cursor);

	if (error != 0)
		return failed_lmdb("scan", error);
	while ((error = mdb_cursor_get(cursor, &of, &is, MDB_NEXT)) == 0)
		count(counted, of.mv_data, of.mv_size, is.mv_data, is.mv_size);
	mdb_cursor_close(cursor);
	return error != MDB_NOTFOUND ? failed_lmdb("scan", error) : 0;
}

static void lmdb_close(union store *store)
{
	if (store->lmdb.transaction != NULL)
		mdb_txn_abort(store->lmdb.transaction);
	mdb_env_close(store->lmdb.environment);
}

static const struct store_kind kinds[] = {
	{ "heap", heap_open, heap_put, heap_delete, heap_commit, heap_begin_reads, heap_get,
	  heap_scan, heap_close },
	{ "lmdb", lmdb_open, lmdb_put, lmdb_delete, lmdb_commit, lmdb_begin_reads, lmdb_get,
	  lmdb_scan, lmdb_close },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), ROUNDS_MAX = 99 };

/* --- measuring ---------------------------------------------------------------------------------- */

struct wishes {
	const char *directory;
	struct work work;
	uint64_t operations;
	uint64_t commit;
	uint64_t rounds;
};

struct result {
	double change_us; /* an operation, commits included */
	double get_us;
	double scan_us; /* an item */
	double disk_mib;
	struct counted scanned;
	struct counted got;
};

static double now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int change(const struct store_kind *kind, union store *store, const struct wishes *wishes)
{
	unsigned char value[WORK_VALUE_MAX];
	char key[WORK_KEY_BYTES + 1];
	int wrong = 0;

	for (uint64_t i = 0; i < wishes->operations && wrong == 0; i++) {
		struct work_operation operation = work_operation(&wishes->work, i);

		work_key(operation.key, key);
		work_value(&operation, value);
		wrong = operation.is_delete ? kind->delete (store, key) :
					      kind->put(store, key, value, operation.value_bytes);
		if (wrong == 0 && ((i + 1) % wishes->commit == 0 || i + 1 == wishes->operations))
			wrong = kind->commit(store);
	}
	return wrong;
}

/* What keys the operations of another seed name: random ones, with some that are not there. */
static void get_all(const struct store_kind *kind, union store *store, const struct wishes *wishes,
		    struct counted *counted)
{
	struct work other = { wishes->work.seed + 1, wishes->work.keys };
	char key[WORK_KEY_BYTES + 1];

	for (uint64_t i = 0; i < wishes->operations; i++) {
		work_key(work_operation(&other, i).key, key);
		(void)kind->get(store, key, counted);
	}
}

static int run(const struct store_kind *kind, const struct wishes *wishes, struct result *result)
{
	char path[4096], lock[4096 + 8];
	union store store;
	struct stat status;

	snprintf(path, sizeof(path), "%s/kv_compare.%s", wishes->directory, kind->name);
	snprintf(lock, sizeof(lock), "%s-lock", path);
	if (access(path, F_OK) == 0) {
		fprintf(stderr, "kv_compare: %s is there already\n", path);
		return 1;
	}
	*result = (struct result){ 0 };
	int wrong = kind->open(&store, path);
	double begun = now_us();
	if (wrong == 0)
		wrong = change(kind, &store, wishes);
	double changed = now_us();
	if (wrong == 0)
		wrong = kind->begin_reads(&store);
	double reading = now_us();
	if (wrong == 0)
		get_all(kind, &store, wishes, &result->got);
	double got = now_us();
	if (wrong == 0)
		wrong = kind->scan(&store, &result->scanned);
	double scanned = now_us();
	if (wrong == 0)
		kind->close(&store);
	if (wrong == 0 && stat(path, &status) == 0)
		result->disk_mib = (double)status.st_blocks * 512 / (1 << 20);
	result->change_us = (changed - begun) / (double)wishes->operations;
	result->get_us = (got - reading) / (double)wishes->operations;
	result->scan_us =
		(scanned - got) / (double)(result->scanned.items > 0 ? result->scanned.items : 1);
	unlink(path);
	unlink(lock);
	return wrong;
}

static int by_value(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static double median(const struct result *results, uint64_t count, size_t offset)
{
	double values[ROUNDS_MAX];

	for (uint64_t i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&results[i] + offset, sizeof(values[i]));
	qsort(values, count, sizeof(*values), by_value);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void print(const struct store_kind *kind, const struct result *results, uint64_t rounds)
{
	printf("%-6s %12.2f %12.3f %12.3f %12.1f\n", kind->name,
	       median(results, rounds, offsetof(struct result, change_us)),
	       median(results, rounds, offsetof(struct result, get_us)),
	       median(results, rounds, offsetof(struct result, scan_us)),
	       median(results, rounds, offsetof(struct result, disk_mib)));
}

static int compare(const struct wishes *wishes)
{
	static struct result results[KINDS][ROUNDS_MAX];

	for (uint64_t round = 0; round < wishes->rounds; round++)
		for (unsigned i = 0; i < KINDS; i++)
			if (run(&kinds[i], wishes, &results[i][round]) != 0)
				return 1;
	if (memcmp(&results[0][0].scanned, &results[1][0].scanned, sizeof(struct counted)) != 0 ||
	    memcmp(&results[0][0].got, &results[1][0].got, sizeof(struct counted)) != 0) {
		fprintf(stderr, "kv_compare: the two stores differ in the end\n");
		return 1;
	}
	printf("%" PRIu64 " operations on %" PRIu64 " keys, durable after every %" PRIu64
	       "; %" PRIu64 " items, %.1f MiB in the end\n",
	       wishes->operations, wishes->work.keys, wishes->commit, results[0][0].scanned.items,
	       (double)results[0][0].scanned.bytes / (1 << 20));
	printf("%-6s %12s %12s %12s %12s\n", "", "us/change", "us/get", "us/scanned",
	       "MiB on disk");
	for (unsigned i = 0; i < KINDS; i++)
		print(&kinds[i], results[i], wishes->rounds);
	return 0;
}

/* --- the command line --------------------------------------------------------------------------- */

static const struct argp_option options[] = {
	{ "operations", 'n', "N", 0, "Puts and deletes, and as many gets (100K)", 0 },
	{ "commit", 'c', "N", 0, "Durable after every N (100)", 0 },
	{ "keys", 'k', "N", 0, "So many different keys (100K)", 0 },
	{ "rounds", 'r', "N", 0, "Of each, in turn; medians are printed (3)", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct wishes *wishes = state->input;

	switch (key) {
	case 'n':
		wishes->operations = argument_number(state, "--operations", text, 1, 1u << 30);
		return 0;
	case 'c':
		wishes->commit = argument_number(state, "--commit", text, 1, 1u << 30);
		return 0;
	case 'k':
		wishes->work.keys = argument_number(state, "--keys", text, 1, 99999999);
		return 0;
	case 'r':
		wishes->rounds = argument_number(state, "--rounds", text, 1, ROUNDS_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (wishes->directory != NULL)
			argp_usage(state);
		wishes->directory = text;
		return 0;
	case ARGP_KEY_END:
		if (wishes->directory == NULL)
			argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "DIRECTORY",
		.doc = "The same work in a persistent heap and in LMDB, in new files in DIRECTORY, which "
		       "should lie on the disk that counts.",
	};
	struct wishes wishes = { .work = { .seed = 1, .keys = 100 << 10 },
				 .operations = 100 << 10,
				 .commit = 100,
				 .rounds = 3 };

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	return compare(&wishes);
}
