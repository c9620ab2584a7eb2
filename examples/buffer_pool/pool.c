/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pool.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum { REGION_BYTES = 2 << 20, SHARDS_MAX = 16 };

enum { FRAME_EMPTY, FRAME_LOADING, FRAME_READY };

/* Everything in a shard belongs to its latch, but a pinned frame's data, which nobody changes. */
struct shard {
	_Alignas(64) pthread_mutex_t latch;
	pthread_cond_t changed; /* a page was read, or a frame lost its last pin */
	unsigned waiting;
	struct frame **buckets;
	size_t bucket_mask;
	struct frame *frames; /* the first frame_count of frame_max have memory */
	size_t frame_count, frame_max, hand;
	lg_region **regions;
	size_t region_count;
	struct pool_stats stats;
};

struct pool {
	struct shard shards[SHARDS_MAX];
	unsigned shard_mask;
	int fd;
	size_t page_bytes;
};

/* Fibonacci hashing: neighbours, which a scan reads together, go to different shards. */
static uint32_t hash_of(uint32_t page)
{
	return (uint32_t)(page * 0x9e3779b97f4a7c15u >> 32);
}

static struct shard *shard_of(struct pool *pool, uint32_t page)
{
	return &pool->shards[hash_of(page) & pool->shard_mask];
}

static struct frame **bucket_of(struct shard *shard, uint32_t page)
{
	return &shard->buckets[hash_of(page) / SHARDS_MAX & shard->bucket_mask];
}

static int shard_init(struct shard *shard, size_t regions, size_t frames)
{
	size_t buckets = 1;

	while (buckets < frames)
		buckets *= 2;
	shard->bucket_mask = buckets - 1;
	shard->frame_max = frames;
	shard->buckets = calloc(buckets, sizeof(struct frame *));
	shard->frames = calloc(frames, sizeof(*shard->frames));
	shard->regions = calloc(regions, sizeof(lg_region *));
	pthread_mutex_init(&shard->latch, NULL);
	pthread_cond_init(&shard->changed, NULL);
	return shard->buckets != NULL && shard->frames != NULL && shard->regions != NULL ? 0 : -1;
}

struct pool *pool_new(int fd, size_t page_bytes, uint64_t memory)
{
	uint64_t regions = memory / REGION_BYTES > 0 ? memory / REGION_BYTES : 1;
	unsigned shards = 1;
	struct pool *pool;

	while (shards < SHARDS_MAX && shards * 2 <= regions)
		shards *= 2;
	pool = aligned_alloc(_Alignof(struct pool), sizeof(*pool));
	if (pool == NULL)
		return NULL;
	*pool = (struct pool){ .shard_mask = shards - 1, .fd = fd, .page_bytes = page_bytes };
	for (unsigned i = 0; i < shards; i++) {
		/* What does not divide goes to the first shards. */
		size_t share = (size_t)(regions / shards + (i < regions % shards));

		if (shard_init(&pool->shards[i], share, share * (REGION_BYTES / page_bytes)) != 0) {
			pool_free(pool);
			return NULL;
		}
	}
	return pool;
}

void pool_free(struct pool *pool)
{
	for (unsigned i = 0; i <= pool->shard_mask; i++) {
		struct shard *shard = &pool->shards[i];

		for (size_t region = 0; region < shard->region_count; region++)
			lg_region_free(shard->regions[region]);
		free(shard->regions);
		free(shard->frames);
		free(shard->buckets);
	}
	free(pool);
}

static struct frame *find(struct shard *shard, uint32_t page)
{
	struct frame *frame = *bucket_of(shard, page);

	while (frame != NULL && frame->page != page)
		frame = frame->next;
	return frame;
}

static void enter(struct shard *shard, struct frame *frame)
{
	struct frame **bucket = bucket_of(shard, frame->page);

	frame->next = *bucket;
	*bucket = frame;
}

static void leave(struct shard *shard, struct frame *frame)
{
	struct frame **link = bucket_of(shard, frame->page);

	while (*link != frame)
		link = &(*link)->next;
	*link = frame->next;
	frame->state = FRAME_EMPTY;
}

/* Carves one more region into frames. If there is none to have, the pool stays as it is and evicts. */
static bool grow(struct shard *shard, size_t page_bytes)
{
	size_t frames = REGION_BYTES / page_bytes;
	lg_region *region;

	if (shard->frame_max - shard->frame_count < frames)
		return false;
	region = lg_region_new(REGION_BYTES);
	if (region == NULL) {
		shard->frame_max = shard->frame_count;
		return false;
	}
	for (size_t i = 0; i < frames; i++)
		shard->frames[shard->frame_count + i].data =
			(unsigned char *)lg_region_data(region) + i * page_bytes;
	shard->hand = shard->frame_count;
	shard->frame_count += frames;
	shard->regions[shard->region_count++] = region;
	return true;
}

/* The clock. Two rounds: the first may find every frame referenced. NULL: all are pinned. */
static struct frame *sweep(struct shard *shard)
{
	for (size_t i = 0; i < 2 * shard->frame_count; i++) {
		struct frame *frame = &shard->frames[shard->hand];

		shard->hand = shard->hand + 1 < shard->frame_count ? shard->hand + 1 : 0;
		if (frame->pins > 0)
			continue;
		if (frame->state == FRAME_EMPTY || !frame->referenced)
			return frame;
		frame->referenced = false;
	}
	return NULL;
}

/* A frame with no page in it; NULL with frame_count 0: there is no memory at all. */
static struct frame *take_frame(struct shard *shard, size_t page_bytes)
{
	/* Frames not used yet come first: the hand is put on them when they are made. */
	bool fresh = shard->frame_count > 0 && shard->frames[shard->hand].state == FRAME_EMPTY;

	if (!fresh)
		grow(shard, page_bytes);
	struct frame *frame = sweep(shard);
	if (frame != NULL && frame->state == FRAME_READY) {
		leave(shard, frame);
		shard->stats.evictions++;
	}
	return frame;
}

static void wait_for_change(struct shard *shard)
{
	shard->stats.waits++;
	shard->waiting++;
	pthread_cond_wait(&shard->changed, &shard->latch);
	shard->waiting--;
}

static void tell_change(struct shard *shard)
{
	if (shard->waiting > 0)
		pthread_cond_broadcast(&shard->changed);
}

static int read_page(const struct pool *pool, const struct frame *frame)
{
	uint64_t offset = (uint64_t)(frame->page - 1) * pool->page_bytes;
	size_t filled = 0;

	while (filled < pool->page_bytes) {
		ssize_t done = pread(pool->fd, frame->data + filled, pool->page_bytes - filled,
				     (off_t)(offset + filled));

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		filled += (size_t)done;
	}
	return 0;
}

/* The latch is held, and is held again afterwards. */
static int load(struct pool *pool, struct shard *shard, struct frame *frame)
{
	int error;

	pthread_mutex_unlock(&shard->latch);
	error = read_page(pool, frame);
	pthread_mutex_lock(&shard->latch);
	if (error == 0) {
		frame->state = FRAME_READY;
	} else {
		frame->pins = 0;
		leave(shard, frame); /* who waited for it tries for himself */
	}
	tell_change(shard);
	return error;
}

int pool_pin(struct pool *pool, uint32_t page, struct frame **result)
{
	struct shard *shard = shard_of(pool, page);
	struct frame *frame;
	int error = 0;

	pthread_mutex_lock(&shard->latch);
	for (;;) {
		frame = find(shard, page);
		if (frame != NULL && frame->state == FRAME_READY) {
			frame->pins++;
			frame->referenced = true;
			shard->stats.hits++;
			break;
		}
		if (frame == NULL && (frame = take_frame(shard, pool->page_bytes)) != NULL) {
			shard->stats.misses++;
			frame->page = page;
			frame->pins = 1;
			frame->state = FRAME_LOADING;
			frame->referenced = true;
			enter(shard, frame);
			error = load(pool, shard, frame);
			break;
		}
		if (shard->frame_count == 0) {
			error = -ENOMEM;
			break;
		}
		wait_for_change(shard);
	}
	pthread_mutex_unlock(&shard->latch);
	*result = error == 0 ? frame : NULL;
	return error;
}

void pool_unpin(struct pool *pool, struct frame *frame)
{
	struct shard *shard = shard_of(pool, frame->page);

	pthread_mutex_lock(&shard->latch);
	if (--frame->pins == 0)
		tell_change(shard);
	pthread_mutex_unlock(&shard->latch);
}

void pool_stats_read(struct pool *pool, struct pool_stats *stats)
{
	*stats = (struct pool_stats){ .shards = pool->shard_mask + 1 };
	for (unsigned i = 0; i <= pool->shard_mask; i++) {
		struct shard *shard = &pool->shards[i];

		pthread_mutex_lock(&shard->latch);
		stats->hits += shard->stats.hits;
		stats->misses += shard->stats.misses;
		stats->evictions += shard->stats.evictions;
		stats->waits += shard->stats.waits;
		stats->regions += shard->region_count;
		stats->frames += shard->frame_count;
		pthread_mutex_unlock(&shard->latch);
	}
}
