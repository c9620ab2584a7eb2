/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "reads.h"

#include "generate.h"
#include "record.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a thread does: its share is [first, end) of the reads. */
struct share {
	pthread_t thread;
	int (*work)(struct share *share, struct reader *reader);
	void *job;
	struct reads reads;
	uint64_t first, end;
	uint64_t found, sum;
	int result;
};

static void *share_run(void *argument)
{
	struct share *share = argument;
	struct reader reader;

	share->result = reader_open(&reader, share->reads.database);
	if (share->result != 0)
		return NULL;
	share->result = share->work(share, &reader);
	reader_close(&reader);
	return NULL;
}

/* Divides `count` reads among the threads, and adds up what they found in *total. */
static int run(const struct reads *reads, uint64_t count, void *job,
	       int (*work)(struct share *share, struct reader *reader), struct share *total)
{
	struct share shares[READS_THREADS_MAX];
	unsigned started = 0;
	int error = 0;

	*total = (struct share){ 0 };
	for (; started < reads->threads; started++) {
		struct share *share = &shares[started];

		*share = (struct share){ .work = work, .job = job, .reads = *reads };
		share->first = count * started / reads->threads;
		share->end = count * (started + 1) / reads->threads;
		error = pthread_create(&share->thread, NULL, share_run, share);
		if (error != 0)
			break;
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(shares[i].thread, NULL);
		total->found += shares[i].found;
		total->sum += shares[i].sum;
		if (shares[i].result != 0)
			total->result = -1;
	}
	return error == 0 ? total->result : database_fail("thread", "cannot start", error);
}

struct get_job {
	const int64_t *rowids;
	char **lines; /* NULL: there is no such row */
};

static int get_share(struct share *share, struct reader *reader)
{
	struct get_job *job = share->job;

	for (uint64_t i = share->first; i < share->end; i++) {
		int found = table_find(reader, share->reads.root, job->rowids[i]);
		size_t length;
		FILE *line;

		if (found < 0)
			return reader_fail(reader);
		if (found == 0)
			continue;
		line = open_memstream(&job->lines[i], &length);
		if (line == NULL)
			return database_fail("memory for a line", "none", errno);
		fprintf(line, "%" PRId64 ",", reader->rowid);
		int broken = record_print(line, reader_row(reader), reader->count);
		if (fclose(line) != 0)
			return database_fail("memory for a line", "none", errno);
		if (broken != 0) {
			fprintf(stderr, "buffer_pool: %s: row %" PRId64 " is broken\n",
				reader->database->path, reader->rowid);
			return -1;
		}
		share->found++;
	}
	return 0;
}

int reads_get(const struct reads *reads, const int64_t *rowids, size_t count)
{
	struct get_job job = { .rowids = rowids, .lines = calloc(count + 1, sizeof(char *)) };
	struct share total;
	int result;

	if (job.lines == NULL)
		return database_fail("memory for the lines", "none", errno);
	result = run(reads, count, &job, get_share, &total);
	for (size_t i = 0; i < count; i++) {
		if (job.lines[i] != NULL && result == 0)
			puts(job.lines[i]);
		else if (result == 0)
			fprintf(stderr, "buffer_pool: %s: no row %" PRId64 "\n",
				reads->database->path, rowids[i]);
		free(job.lines[i]);
	}
	free(job.lines);
	if (fflush(stdout) != 0 || ferror(stdout))
		return database_fail("standard output", "cannot write", errno);
	return result == 0 && total.found == count ? 0 : -1;
}

struct measure_job {
	const struct reads_load *load;
	int64_t first;
	uint64_t span; /* rowids from the first to the last */
};

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
	uint64_t value = *state += 0x9e3779b97f4a7c15u;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

static int check_row(const struct reader *reader)
{
	unsigned char row[GENERATE_ROW_BYTES_MAX];
	size_t count = generate_row(reader->rowid, row);

	if (count == reader->count && memcmp(row, reader_row(reader), count) == 0)
		return 0;
	fprintf(stderr, "buffer_pool: %s: row %" PRId64 " is not what was generated\n",
		reader->database->path, reader->rowid);
	return -1;
}

/* Decodes a row, as a program that reads it would. */
static int use_row(const struct reader *reader, uint64_t *sum)
{
	struct record record;
	struct value value;
	int more;

	if (record_open(&record, reader_row(reader), reader->count) != 0)
		return -1;
	while ((more = record_next(&record, &value)) == 1)
		*sum += (uint64_t)value.integer + value.count;
	return more;
}

static int measure_share(struct share *share, struct reader *reader)
{
	const struct measure_job *job = share->job;
	uint64_t state = share->first;
	uint64_t hot = (uint64_t)((double)job->span * job->load->hot_percent / 100);

	for (uint64_t i = share->first; i < share->end; i++) {
		uint64_t random = random_next(&state);
		uint64_t among = random % 10 != 0 && hot > 0 ? hot : job->span;
		uint64_t place = random / 10 % among;
		int found = table_find(reader, share->reads.root,
				       (int64_t)((uint64_t)job->first + place));

		if (found < 0)
			return reader_fail(reader);
		if (found == 0)
			continue;
		share->found++;
		if (job->load->checked && check_row(reader) != 0)
			return -1;
		if (use_row(reader, &share->sum) != 0)
			return database_fail(reader->database->path, "a row is broken", 0);
	}
	return 0;
}

/* The rowids to choose from. 0, or -1 after a message. */
static int range_of(const struct reads *reads, struct measure_job *job)
{
	struct reader reader;
	int result = -1, found;

	if (reader_open(&reader, reads->database) != 0)
		return -1;
	found = table_next(&reader, reads->root, INT64_MIN);
	if (found == 1) {
		job->first = reader.rowid;
		found = table_last(&reader, reads->root);
	}
	if (found < 0)
		reader_fail(&reader);
	else if (found == 0)
		database_fail(reads->database->path, "the table is empty", 0);
	else
		result = 0;
	if (result == 0)
		job->span = (uint64_t)reader.rowid - (uint64_t)job->first + 1;
	/* All of the 2^64 rowids in use cannot be: 0 is a span that overflowed. */
	if (job->span == 0)
		job->span = UINT64_MAX;
	reader_close(&reader);
	return result;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int reads_measure(const struct reads *reads, const struct reads_load *load)
{
	struct measure_job job = { .load = load };
	const struct database *database = reads->database;
	struct pool_stats stats;
	struct share total;
	double start, taken;

	if (range_of(reads, &job) != 0)
		return -1;
	start = seconds();
	if (run(reads, load->count, &job, measure_share, &total) != 0)
		return -1;
	taken = seconds() - start;
	pool_stats_read(database->pool, &stats);
	printf("%" PRIu64 " reads by %u threads in %.2f s: %.0f a second\n", load->count,
	       reads->threads, taken, (double)load->count / taken);
	printf("%" PRIu64 " rows found%s, sum %016" PRIx64 "\n", total.found,
	       load->checked ? " and as generated" : "", total.sum);
	printf("%" PRIu64 " pages asked for, %.2f %% in the pool; %" PRIu64 " read, %" PRIu64
	       " evicted, %" PRIu64 " waits\n",
	       stats.hits + stats.misses,
	       100.0 * (double)stats.hits / (double)(stats.hits + stats.misses), stats.misses,
	       stats.evictions, stats.waits);
	printf("%" PRIu64 " regions of 2 MiB, %" PRIu64 " frames of %zu bytes, %" PRIu64
	       " shards\n",
	       stats.regions, stats.frames, database->page_bytes, stats.shards);
	return 0;
}
