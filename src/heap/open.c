/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Opening and closing. A file is only read until all of it that open looks at is found sound; a clean heap is not
 * written before its first commit.
 */
#include "base/error.h"
#include "base/option.h"
#include "heap/checkpoint.h"
#include "heap/commit.h"
#include "heap/gate.h"
#include "heap/heap.h"
#include "heap/journal.h"
#include "heap/load.h"
#include "heap/recover.h"
#include "heap/shared.h"
#include "heap/slab.h"
#include "heap/space.h"
#include "heap/thread.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/roster.h"

#include <errno.h>
#include <string.h>

static const struct lg_heap_setup plain = { .ops = &lg_os_disk_plain };

/* --- options ------------------------------------------------------------------------------------ */

/* As they are said; the journal may be more, in whole pages. */
struct said {
	uint64_t create;
	uint64_t readonly;
	uint64_t lockable;
	uint64_t reserve;
	uint64_t journal;
	uint64_t mode;
};

static const char *const mode_words[] = {
	[LG_HEAP_ATOMIC] = "atomic", [LG_HEAP_SHARED] = "shared", NULL
};

/* clang-format off */
static const struct lg_setting rows[] = {
	{ .name = "create", .type = LG_SETTING_SWITCH, .offset = offsetof(struct said, create) },
	{ .name = "readonly", .type = LG_SETTING_SWITCH, .offset = offsetof(struct said, readonly) },
	{ .name = "lockable", .type = LG_SETTING_SWITCH, .offset = offsetof(struct said, lockable) },
	{ .name = "reserve", .type = LG_SETTING_SIZE, .low = LG_MIB(256), .high = LG_TIB(16),
	  .offset = offsetof(struct said, reserve) },
	{ .name = "journal", .type = LG_SETTING_SIZE, .low = LG_JOURNAL_MIN, .high = LG_TIB(1),
	  .offset = offsetof(struct said, journal) },
	{ .name = "mode", .type = LG_SETTING_WORD, .words = mode_words,
	  .offset = offsetof(struct said, mode) },
};
/* clang-format on */

static const struct lg_settings table = { .rows = rows,
					  .count = sizeof(rows) / sizeof(rows[0]),
					  .manual = "lg_heap_open(3)" };

static int read_options(const char *options, struct lg_heap_settings *settings)
{
	struct said said = { .journal = LG_AUTO, .mode = LG_AUTO };
	int error = lg_settings_parse(&table, options != NULL ? options : "", &said);

	*settings = (struct lg_heap_settings){ .create = said.create != 0,
					       .readonly = said.readonly != 0,
					       .lockable = said.lockable != 0,
					       .reserve = said.reserve,
					       .mode = said.mode };
	if (said.mode != LG_HEAP_SHARED)
		settings->journal = said.journal != LG_AUTO ?
					    lg_round_up(said.journal, LG_HEAP_PAGE) :
					    LG_MIB(64);
	if (error == 0 && said.mode == LG_HEAP_SHARED && said.journal != LG_AUTO)
		error = lg_fail(EINVAL, "option journal: a heap of mode:shared has none");
	if (error == 0 && settings->create && settings->readonly)
		error = lg_fail(EINVAL, "options create:on and readonly:on exclude each other");
	return error;
}

/* --- a new file --------------------------------------------------------------------------------- */

static void make_super(struct lg_super *super, const struct lg_heap_settings *settings,
		       uint64_t bytes)
{
	bool shared = settings->mode == LG_HEAP_SHARED;

	*super = (struct lg_super){ .magic = LG_HEAP_MAGIC,
				    .version = LG_HEAP_VERSION,
				    .page_bytes = LG_HEAP_PAGE,
				    .bytes = bytes,
				    .tail_sequence = 1,
				    .mode = shared ? LG_HEAP_SHARED : LG_HEAP_ATOMIC,
				    .clean = 1,
				    .segments = shared ? 0 : 1 };
	if (!shared)
		super->segment[0] = (struct lg_segment){ (uint64_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT,
							 settings->journal };
}

/* The header and the table's first page are all of the image that is not zero. No journal: no checksums either. */
static int write_image(struct lg_os_disk *disk, uint32_t journal_chunks)
{
	struct lg_heap_header header = { .magic = LG_HEADER_MAGIC };
	struct lg_chunk_entry entry = { .kind = LG_CHUNK_META };
	uint64_t at = LG_TABLE_OFFSET;
	int error = 0;

	header.chunks = LG_CHUNK_FIRST + (journal_chunks > 0 ? journal_chunks + 1 : 0);
	if (journal_chunks > 0)
		header.sums[0] = header.chunks - 1;
	error = disk->ops->write(disk, &header, sizeof(header), LG_HEADER_OFFSET);
	for (uint32_t i = 0; i < header.chunks && error == 0; i++, at += sizeof(entry)) {
		if (i >= LG_CHUNK_FIRST)
			entry.kind = LG_CHUNK_JOURNAL;
		if (i > 0 && i == header.sums[0])
			entry.kind = LG_CHUNK_SUMS;
		error = disk->ops->write(disk, &entry, sizeof(entry), at);
	}
	return error;
}

static int write_journal(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes)
{
	const size_t piece = LG_MIB(4);
	void *zeros;
	int error = lg_os_map_record(piece, &zeros);

	if (error != 0)
		return error;
	error = disk->ops->reserve(disk, offset, bytes);
	for (uint64_t done = 0; done < bytes && error == 0; done += piece)
		error = disk->ops->write_direct(disk, zeros, lg_min(bytes - done, piece),
						offset + done);
	lg_os_unreserve(zeros, piece);
	return error;
}

static int fill_new(struct lg_os_disk *disk, const struct lg_heap_settings *settings)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE] = { 0 };
	struct lg_super *super = (struct lg_super *)(void *)page;
	uint64_t chunks = (settings->journal + LG_CHUNK - 1) >> LG_CHUNK_SHIFT;
	uint64_t bytes = (LG_CHUNK_FIRST + (chunks > 0 ? chunks + 1 : 0)) << LG_CHUNK_SHIFT;

	make_super(super, settings, bytes);
	int error = lg_os_random(super->uuid, sizeof(super->uuid));
	if (error == 0)
		error = disk->ops->extend(disk, bytes);
	/* Whatever is written home, or through a shared mapping, has its place on the disk before. */
	if (error == 0)
		error = disk->ops->reserve(disk, 0, LG_TABLE_OFFSET + LG_HEAP_PAGE);
	if (error == 0 && chunks > 0)
		error = disk->ops->reserve(disk, bytes - LG_CHUNK, LG_CHUNK);
	if (error == 0 && chunks > 0)
		error = write_journal(disk, super->segment[0].offset, super->segment[0].bytes);
	if (error == 0)
		error = write_image(disk, (uint32_t)chunks);
	lg_super_seal(super);
	for (unsigned i = 0; i < 2 && error == 0; i++)
		error = disk->ops->write_direct(disk, page, sizeof(page), i * sizeof(page));
	return error == 0 ? disk->ops->sync(disk) : error;
}

/* The file gets its name when it is whole. */
static int make_file(struct lg_os_disk *disk, const char *path,
		     const struct lg_heap_settings *settings)
{
	int error = lg_os_disk_create(disk, path);

	if (error != 0)
		return lg_fail(-error, "%s: no file can be made there: %s", path,
			       lg_error_name(-error));
	error = fill_new(disk, settings);
	if (error == 0)
		error = lg_os_disk_publish(disk, path);
	if (error == 0)
		return 0;
	lg_os_disk_close(disk);
	return lg_fail(-error, "%s: it cannot be made: %s", path, lg_error_name(-error));
}

static int open_file(struct lg_heap *heap, const char *path,
		     const struct lg_heap_settings *settings)
{
	enum lg_os_disk_access access = settings->readonly ? LG_DISK_READ : LG_DISK_WRITE;
	int error = lg_os_disk_open(&heap->disk, path, access, &heap->file_bytes);

	if (settings->create && (error == -ENOENT || (error == 0 && heap->file_bytes == 0))) {
		uint64_t blocks;

		if (error == 0)
			lg_os_disk_close(&heap->disk);
		error = make_file(&heap->disk, path, settings);
		if (error != 0)
			return error;
		error = lg_os_disk_size(&heap->disk, &heap->file_bytes, &blocks);
	}
	if (error == -EBUSY)
		return lg_fail(EBUSY, "%s: another process, or this one, has it open", path);
	if (error != 0)
		return lg_fail(-error, "%s: it cannot be opened: %s", path,
			       error == -ENOENT ? "no such file (ENOENT)" :
			       error == -EINVAL ? "it is no regular file (EINVAL)" :
						  lg_error_name(-error));
	return 0;
}

/* --- memory ------------------------------------------------------------------------------------- */

static int map_tables(struct lg_heap *heap)
{
	size_t chunks = heap->capacity * sizeof(struct lg_chunk);
	size_t live = heap->capacity * LG_SLOTS_MAX;
	size_t homes = heap->capacity * LG_CHUNK_PAGES * sizeof(uint64_t);
	void *range;
	int error = lg_os_reserve(chunks + live + homes, LG_HEAP_PAGE, &range);

	if (error != 0)
		return error;
	heap->chunks = range;
	heap->live = (_Atomic(uint8_t) *)range + chunks;
	heap->homes = (_Atomic(uint64_t) *)(void *)((char *)range + chunks + live);
	return lg_os_make_writable(range, chunks + live + homes);
}

static void unmap_tables(struct lg_heap *heap)
{
	if (heap->chunks != NULL)
		lg_os_unreserve(heap->chunks,
				heap->capacity * (sizeof(struct lg_chunk) + LG_SLOTS_MAX +
						  LG_CHUNK_PAGES * sizeof(uint64_t)));
}

/* The whole reserve at once: addresses never move. */
static int map(struct lg_heap *heap, const char *path, const struct lg_heap_settings *settings)
{
	void *base;
	uint64_t bytes = settings->reserve != 0 ? settings->reserve : LG_TIB(1);

	heap->bytes = lg_round_down(lg_max(bytes, heap->file_bytes), LG_CHUNK);
	heap->capacity = heap->bytes >> LG_CHUNK_SHIFT;
	bool shared = heap->shared && !heap->readonly;
	int error = lg_os_disk_map(&heap->disk, heap->bytes, shared, &base);
	if (error != 0)
		return lg_fail(-error, "%s: %llu MiB cannot be mapped: %s; try a smaller reserve",
			       path, (unsigned long long)heap->bytes >> 20, lg_error_name(-error));
	heap->base = base;
	heap->header = (struct lg_heap_header *)(void *)(heap->base + LG_HEADER_OFFSET);
	heap->table = (struct lg_chunk_entry *)(void *)(heap->base + LG_TABLE_OFFSET);
	(void)lg_os_advise(base, heap->bytes, LG_OS_DONTFORK);
	if (shared) /* else a page's first touch reads, and its write-back writes, many around it */
		(void)lg_os_advise(base, heap->bytes, LG_OS_RANDOM);
	error = map_tables(heap);
	if (error != 0)
		return lg_fail(-error,
			       "%s: no address space for its tables: %s; try a smaller reserve",
			       path, lg_error_name(-error));
	return 0;
}

static struct lg_heap *new_heap(const struct lg_heap_setup *setup)
{
	pthread_condattr_t attributes;
	void *memory;

	if (lg_os_map_record(sizeof(struct lg_heap), &memory) != 0)
		return NULL;
	struct lg_heap *heap = memory;
	heap->disk = (struct lg_os_disk){ setup->ops, setup->context, -1, -1, 0, 0 };
	heap->written = (struct lg_os_written){ -1, -1, false };
	heap->foreground = setup->foreground;
	heap->unarmed = setup->old_kernel;
	heap->mend = setup->mend;
	heap->first = true;
	pthread_mutex_init(&heap->threads_lock, NULL);
	pthread_mutex_init(&heap->space_lock, NULL);
	pthread_mutex_init(&heap->commit_lock, NULL);
	pthread_mutex_init(&heap->checkpoint_lock, NULL);
	pthread_mutex_init(&heap->journal_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&heap->journal_changed, &attributes);
	pthread_condattr_destroy(&attributes);
	heap->fenced = !lg_os_barrier_make();
	return heap;
}

static void free_heap(struct lg_heap *heap, bool child)
{
	struct lg_record *next;

	for (struct lg_record *record = heap->oldest; record != NULL; record = next) {
		next = record->next;
		lg_record_free(record);
	}
	lg_heap_thread_forget(heap);
	lg_slab_stop(heap);
	if (heap->watching)
		lg_os_written_close(&heap->written);
	lg_os_disk_close(&heap->disk);
	unmap_tables(heap);
	if (heap->base != NULL && !child) /* where a child may have something else */
		lg_os_unreserve(heap->base, heap->bytes);
	if (heap->staging != NULL)
		lg_os_unreserve(heap->staging, (size_t)LG_STAGING_PAGES * LG_HEAP_PAGE);
	lg_pages_free(&heap->nursery);
	lg_pages_free(&heap->dirty);
	lg_pages_free(&heap->homeward);
	lg_pages_free(&heap->carried);
	lg_pages_free(&heap->droppable);
	lg_os_unreserve(heap, sizeof(*heap));
}

/* --- open --------------------------------------------------------------------------------------- */

/* Writes home what was replayed; only then is the file changed. */
static int finish_recovery(struct lg_heap *heap, const char *path)
{
	heap->file_durable =
		heap->super.bytes; /* of more than that a killed process flushed nothing */
	if (heap->oldest == NULL || heap->readonly)
		return 0;
	int error = lg_checkpoint_run(heap);
	if (error != 0)
		return lg_fail(-error, "%s: its journal cannot be replayed: %s", path,
			       lg_error_name(-error));
	lg_dirty_give_up(heap, heap->droppable.list, heap->droppable.count);
	heap->droppable.count = 0;
	return 0;
}

static int recover(struct lg_heap *heap, const char *path, bool torn)
{
	const char *wrong;
	int error = heap->shared ? lg_shared_recover(heap, path, torn) :
				   lg_recover_records(heap, path);

	if (error == 0 && !heap->shared)
		error = lg_recover_replay(heap, path);
	if (error != 0)
		return error;
	wrong = lg_table_check(&heap->super, heap->base, heap->file_bytes);
	if (wrong != NULL)
		return lg_fail(EINVAL, "%s: %s", path, wrong);
	return heap->shared ? lg_shared_begin(heap, path) : finish_recovery(heap, path);
}

static int choose_mode(struct lg_heap *heap, const char *path, uint64_t said)
{
	heap->shared = heap->super.mode == LG_HEAP_SHARED;
	if (said == LG_AUTO || said == heap->super.mode)
		return 0;
	return lg_fail(EINVAL, "%s: it is a heap of mode:%s", path, mode_words[heap->super.mode]);
}

static int open_heap(struct lg_heap *heap, const char *path,
		     const struct lg_heap_settings *settings, bool torn)
{
	heap->readonly = settings->readonly;
	heap->unarmed |= settings->lockable;
	int error = open_file(heap, path, settings);
	if (error == 0)
		error = lg_recover_super(heap, path);
	if (error == 0)
		error = choose_mode(heap, path, settings->mode);
	if (error == 0)
		error = map(heap, path, settings);
	if (error == 0)
		error = lg_slab_start(heap);
	if (error == 0)
		error = recover(heap, path, torn);
	if (error != 0)
		return error;
	lg_load(heap);
	error = heap->readonly ? lg_os_make_readonly(heap->base, heap->bytes) : 0;
	if (error == 0)
		error = lg_heap_register(heap, path);
	if (error != 0)
		return lg_fail(-error, "%s: no memory", path);
	lg_gate_open(heap);
	return 0;
}

lg_heap *lg_heap_open_with(const char *path, const char *options, const struct lg_heap_setup *setup)
{
	struct lg_heap_settings settings = { 0 };
	struct lg_heap *heap = NULL;
	int error = path == NULL ? lg_fail(EINVAL, "a heap needs a path") :
				   read_options(options, &settings);

	if (error == 0 && lg_os_page_bytes() != LG_HEAP_PAGE)
		error = lg_fail(ENOTSUP, "heaps need pages of 4 KiB");
	if (error == 0) {
		heap = new_heap(setup);
		error = heap == NULL ? lg_fail(ENOMEM, "%s: no memory", path) :
				       open_heap(heap, path, &settings, setup->torn);
	}
	if (error == 0)
		return heap;
	if (heap != NULL)
		free_heap(heap, false);
	errno = -error;
	return NULL;
}

lg_heap *lg_heap_open(const char *path, const char *options)
{
	lg_heap *heap = lg_heap_open_with(path, options, &plain);

	if (heap != NULL)
		lg_worker_watch();
	return heap;
}

/* What was committed goes home, and the superblock says so. */
static int settle(struct lg_heap *heap)
{
	if (heap->readonly)
		return 0;
	if (heap->shared)
		return lg_shared_close(heap);
	if (heap->first)
		return 0;
	int error = lg_checkpoint_run(heap);
	if (error != 0 || lg_load_relaxed(&heap->failed) != 0)
		return error;
	heap->super.clean = 1;
	heap->super.bytes = heap->file_durable;
	error = lg_super_write(heap);
	return error != 0 ? lg_fail(-error, "the superblock cannot be written: %s",
				    lg_error_name(-error)) :
			    0;
}

int lg_heap_close(lg_heap *heap)
{
	int error = 0;

	if (heap == NULL)
		return 0;
	bool child = lg_load_relaxed(&heap->gate) == LG_GATE_DEAD;
	if (!child) {
		lg_checkpoint_stop(heap);
		error = settle(heap);
		lg_heap_unregister(heap);
	}
	free_heap(heap, child);
	return error;
}
