/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Looks over a heap as it lies in its file. What open checks, open has refused: then there is nothing to look over. But
 * a journal that has rotted in the middle is no refusal here (damage.h); the commit that ends a repair begins a new one.
 * The rest: bitmaps, roots and what they lead to, and each page against its checksum.
 */
#include "base/crc.h"
#include "base/error.h"
#include "heap/heap.h"
#include "heap/mark.h"
#include "heap/object.h"
#include "heap/root.h"
#include "os/map.h"

#include <ctype.h>
#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <stdarg.h>
#include <string.h>

enum { LINES_MAX = 1000 };

struct look {
	struct lg_heap *heap;
	const char *path;
	FILE *report;
	bool repair;
	int findings;
	uint64_t pages; /* compared */
	uint64_t objects;
	uint64_t bytes;
};

static void print(struct look *look, const char *format, va_list values)
{
	if (look->report == NULL || look->findings > LINES_MAX)
		return;
	vfprintf(look->report, format, values);
	fputc('\n', look->report);
}

__attribute__((format(printf, 2, 3))) static void find(struct look *look, const char *format, ...)
{
	va_list values;

	if (look->findings < INT32_MAX)
		look->findings++;
	va_start(values, format);
	print(look, format, values);
	va_end(values);
}

/* More of a finding. */
__attribute__((format(printf, 2, 3))) static void say(struct look *look, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print(look, format, values);
	va_end(values);
}

/* A finding is a line, and of a damaged name a terminal obeys nothing. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void check_slab(struct look *look, uint32_t number)
{
	const struct lg_heap *heap = look->heap;
	struct lg_chunk_entry *entry = &heap->table[number];
	uint32_t slots = lg_slab_slots(lg_heap_class_bytes(entry->class));
	uint64_t *bitmap = lg_slab_bitmap(heap, number), free = 0;
	uint64_t beyond = slots % 64 != 0 ? ~lg_ones(0, slots % 64) : 0;

	if ((bitmap[slots / 64] & beyond) != 0) {
		find(look, "chunk %u: bits of slots that it does not have", number);
		if (look->repair)
			bitmap[slots / 64] &= ~beyond;
	}
	for (uint32_t slot = 0; slot < slots; slot += 64)
		free += (uint64_t)__builtin_popcountll(
			~bitmap[slot / 64] & lg_ones(0, (unsigned)lg_min(64, slots - slot)));
	if (entry->full != 0 && (entry->full != 1 || free != 0)) {
		find(look, "chunk %u: called full, with %llu slots free", number,
		     (unsigned long long)free);
		if (look->repair)
			entry->full = 0;
	}
}

static void check_root(struct look *look, struct lg_root *root, uint32_t place)
{
	size_t length = strnlen(root->name, LG_ROOT_NAME);
	struct lg_object object;
	char name[LG_ROOT_NAME + 1] = "";
	const char *wrong = NULL;

	if (root->state == LG_ROOT_EMPTY || root->state == LG_ROOT_REMOVED)
		return;
	if (root->state != LG_ROOT_USED || length == 0 || length == LG_ROOT_NAME)
		wrong = "is damaged";
	else if (root->hash != lg_crc32c(0, root->name, length))
		wrong = "has a name of another hash";
	else if (!lg_object_of(look->heap, root->ref, &object))
		wrong = "leads to no object";
	if (wrong == NULL)
		return;
	memcpy(name, root->name, length);
	make_printable(name);
	find(look, "root %u (%s) %s: %#llx", place, name, wrong, (unsigned long long)root->ref);
	if (look->repair)
		*root = (struct lg_root){ .state = LG_ROOT_REMOVED };
}

/* Pages whose contents are somebody's: of slabs, of extents, and the heap's own. */
static bool counts(const struct lg_heap *heap, uint64_t page)
{
	const struct lg_chunk_entry *entry = &heap->table[page / LG_CHUNK_PAGES];

	/* Superblocks; or it was replayed from the journal, which has sums of its own, into memory. */
	if (page < LG_HEADER_OFFSET / LG_HEAP_PAGE ||
	    lg_load_relaxed(&heap->homes[page]) > heap->checkpointed)
		return false;
	if (entry->kind == LG_CHUNK_EXTENT)
		return (entry->used >> page % LG_CHUNK_PAGES / LG_UNIT_PAGES & 1) != 0;
	return entry->kind == LG_CHUNK_SLAB || entry->kind == LG_CHUNK_META;
}

static int check_pages(struct look *look, uint32_t number, char *piece, uint32_t *sums, uint64_t at)
{
	struct lg_heap *heap = look->heap;
	uint64_t first = (uint64_t)number * LG_CHUNK_PAGES;
	bool changed = false;
	int error = heap->disk.ops->read(&heap->disk, piece, LG_CHUNK, first * LG_HEAP_PAGE);

	for (uint64_t i = 0; i < LG_CHUNK_PAGES && error == 0; i++) {
		if (sums[i] == 0 || !counts(heap, first + i))
			continue;
		uint32_t is = lg_sum_of(lg_crc32c(0, piece + i * LG_HEAP_PAGE, LG_HEAP_PAGE));

		look->pages++;
		if (is == sums[i])
			continue;
		find(look, "page %llu: its checksum is %08x, not %08x",
		     (unsigned long long)(first + i), is, sums[i]);
		sums[i] = is;
		changed = true;
	}
	if (error == 0 && changed && look->repair)
		error = heap->disk.ops->write(&heap->disk, sums, LG_CHUNK_PAGES * sizeof(*sums),
					      at);
	return error;
}

/* Through the file, not the mapping: an error of the disk is then an answer. */
static int check_chunk_pages(struct look *look, uint32_t number, char *piece)
{
	struct lg_heap *heap = look->heap;
	uint32_t sums[LG_CHUNK_PAGES], table = heap->header->sums[number / LG_SUM_CHUNKS];
	uint64_t at = ((uint64_t)table << LG_CHUNK_SHIFT) +
		      (uint64_t)(number % LG_SUM_CHUNKS) * sizeof(sums);
	uint8_t kind = heap->table[number].kind;

	if (table == 0 || kind == LG_CHUNK_FREE || kind == LG_CHUNK_JOURNAL ||
	    kind == LG_CHUNK_SUMS)
		return 0;
	int error = heap->disk.ops->read(&heap->disk, sums, sizeof(sums), at);
	bool known = false;
	for (uint64_t i = 0; i < LG_CHUNK_PAGES && error == 0; i++)
		known = known || sums[i] != 0;
	return known ? check_pages(look, number, piece, sums, at) : error;
}

/* Of mode:shared: what the recovery at the open has found, and with a repair has put right. */
static void check_marked(struct look *look)
{
	const struct lg_marked *marked = &look->heap->marked;

	if (!marked->done)
		return;
	find(look,
	     "it was not closed: the roots lead to %llu objects; %llu that nothing leads to, or that were cached; "
	     "%llu entries of the chunk table half written; %llu roots that lead nowhere",
	     (unsigned long long)marked->kept, (unsigned long long)marked->freed,
	     (unsigned long long)marked->entries, (unsigned long long)marked->roots);
}

static int count(void *argument, const struct lg_object *object)
{
	struct look *look = argument;

	look->objects++;
	look->bytes += object->bytes;
	return 0;
}

/* A crash tears at most the one that was being written, and the next write is of that one: not in a closed heap. */
static int check_supers(struct look *look)
{
	struct lg_heap *heap = look->heap;
	int error = 0;

	for (unsigned i = 0; i < 2 && heap->super.clean != 0 && error == 0; i++) {
		struct lg_super super;
		error = heap->disk.ops->read(&heap->disk, &super, sizeof(super),
					     (uint64_t)i * LG_HEAP_PAGE);
		const char *wrong = error == 0 ? lg_super_check(&super) : NULL;

		if (wrong != NULL)
			find(look, "superblock %u does not count: %s", i, wrong);
	}
	return error != 0 ? lg_fail(-error, "%s: its superblocks cannot be read: %s", look->path,
				    lg_error_name(-error)) :
			    0;
}

static void check_journal(struct look *look)
{
	const struct lg_heap_damage *damage = &look->heap->damage;

	if (damage->sequence == 0)
		return;
	find(look, "journal: commit %llu is damaged, and commit %llu follows it",
	     (unsigned long long)damage->sequence, (unsigned long long)damage->later);
	for (uint32_t i = 0; i < damage->count; i++)
		find(look, "journal: page %llu of commit %llu has another checksum than %08x",
		     (unsigned long long)damage->bad[i].page,
		     (unsigned long long)damage->bad[i].sequence, damage->bad[i].crc);
	if (!damage->back)
		say(look,
		    "journal: nothing of it is missed: the pages are in later commits, or home");
	else
		say(look,
		    "journal: a repair goes back to commit %llu; what a checkpoint wrote home of "
		    "later ones stays",
		    (unsigned long long)look->heap->sequence);
}

/* No finding: a program may keep refs in a form that only it knows. */
static int check_reach(struct look *look)
{
	uint64_t objects, bytes;
	int error = lg_mark_unreached(look->heap, &objects, &bytes);

	if (error != 0)
		return lg_fail(-error, "%s: no memory to mark what its roots lead to", look->path);
	if (objects > 0)
		say(look, "no root leads to %llu objects with %llu bytes",
		    (unsigned long long)objects, (unsigned long long)bytes);
	return 0;
}

static int look_over(struct look *look, char *piece)
{
	struct lg_heap *heap = look->heap;
	int error = check_supers(look);

	if (error != 0)
		return error;
	check_journal(look);
	for (uint32_t number = 0; number < heap->header->chunks; number++) {
		int unread = check_chunk_pages(look, number, piece);

		if (unread != 0) {
			find(look, "chunk %u: it cannot be read: %s", number,
			     lg_error_name(-unread));
			error = lg_fail(-unread, "%s: chunk %u cannot be read: %s", look->path,
					number, lg_error_name(-unread));
		} else if (heap->table[number].kind == LG_CHUNK_SLAB) {
			check_slab(look, number);
		}
	}
	if (error != 0) /* bitmaps that cannot be read are SIGBUS in the mapping */
		return error;
	check_marked(look);
	for (uint32_t i = 0; i < LG_ROOTS; i++)
		check_root(look, &lg_root_table(heap)[i], i);
	(void)lg_object_each(heap, count, look);
	error = check_reach(look);
	if (error != 0)
		return error;
	if (look->report != NULL)
		fprintf(look->report,
			"%llu objects with %llu bytes in %u chunks, %llu pages compared, commit %llu: "
			"%d findings%s\n",
			(unsigned long long)look->objects, (unsigned long long)look->bytes,
			heap->header->chunks, (unsigned long long)look->pages,
			(unsigned long long)heap->sequence, look->findings,
			look->repair && look->findings > 0 ? ", repaired" : "");
	return 0;
}

int lg_heap_check(const char *path, unsigned flags, FILE *report)
{
	static const struct lg_heap_setup setup = { .ops = &lg_os_disk_plain,
						    .mend = true,
						    .torn = true };
	struct look look = { .path = path,
			     .report = report,
			     .repair = (flags & LG_HEAP_REPAIR) != 0 };

	if ((flags & ~(unsigned)LG_HEAP_REPAIR) != 0)
		return lg_fail(EINVAL, "flags %#x are not known", flags);
	look.heap = lg_heap_open_with(path, look.repair ? NULL : "readonly:on", &setup);
	if (look.heap == NULL)
		return -errno;
	void *piece;
	int error = lg_os_map_record(LG_CHUNK, &piece);
	if (error == 0) {
		error = look_over(&look, piece);
		lg_os_unreserve(piece, LG_CHUNK);
	} else {
		error = lg_fail(-error, "no memory to check");
	}
	if (error == 0 && look.repair && look.findings > 0)
		error = lg_heap_commit(look.heap);
	int closing = lg_heap_close(look.heap);
	return error != 0 ? error : closing != 0 ? closing : look.findings;
}
