/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lgalloc heap: what a persistent heap holds, whether it is sound, and a copy of it. */
#include "heap/heap.h"
#include "base/error.h"
#include "heap/object.h"
#include "tool/action.h"
#include "tool/command.h"
#include "tool/figure.h"
#include "tool/process.h"

#include <errno.h>
#include <inttypes.h>
#include <lgalloc/lgalloc.h>
#include <stdlib.h>
#include <string.h>

/* Nothing of the file is changed: a journal is replayed into memory. */
static lg_heap *open_to_read(const char *command, const char *path)
{
	lg_heap *heap = lg_heap_open(path, "readonly:on");

	if (heap == NULL)
		lg_command_fail(command, "%s", lg_error());
	return heap;
}

/* --- info --------------------------------------------------------------------------------------- */

static error_t parse_info(int key, char *argument, struct argp_state *state)
{
	return lg_action_take_file(key, argument, state, "heap", state->input);
}

static void print_bytes(const char *name, uint64_t bytes)
{
	char text[LG_FIGURE_BYTES];

	printf("%-10s %s (%" PRIu64 " bytes)\n", name, lg_figure_bytes((double)bytes, text), bytes);
}

static void print_super(const struct lg_heap *heap)
{
	const struct lg_super *super = &heap->super;
	uint64_t commits = 0, pages = 0;

	printf("%-10s %" PRIu32 "\n", "format", super->version);
	printf("%-10s ", "uuid");
	for (size_t i = 0; i < sizeof(super->uuid); i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", super->uuid[i]);
	printf("\n%-10s %s\n", "mode", lg_heap_mode_name(super->mode));
	for (const struct lg_record *record = heap->oldest; record != NULL; record = record->next) {
		commits++;
		pages += record->count;
	}
	if (super->clean != 0 && commits == 0)
		printf("%-10s closed\n", "state");
	else
		printf("%-10s not closed: the next open writes %" PRIu64 " commit%s with %" PRIu64
		       " pages home\n",
		       "state", commits, commits == 1 ? "" : "s", pages);
}

static void print_journal(const struct lg_heap *heap, const struct lg_heap_stats *stats)
{
	char all[LG_FIGURE_BYTES], used[LG_FIGURE_BYTES];

	printf("%-10s %s in %" PRIu32 " piece%s, %s in use\n", "journal",
	       lg_figure_bytes((double)stats->journal_bytes, all), heap->super.segments,
	       heap->super.segments == 1 ? "" : "s",
	       lg_figure_bytes((double)stats->journal_used, used));
}

static void print_chunks(const struct lg_heap *heap)
{
	static const struct {
		enum lg_chunk_kind kind;
		const char *name;
	} kinds[] = { { LG_CHUNK_SLAB, "slabs" },      { LG_CHUNK_EXTENT, "extents" },
		      { LG_CHUNK_JOURNAL, "journal" }, { LG_CHUNK_SUMS, "checksums" },
		      { LG_CHUNK_META, "metadata" },   { LG_CHUNK_FREE, "free" } };
	uint64_t counts[LG_CHUNK_KINDS] = { 0 };

	for (uint32_t i = 0; i < heap->header->chunks; i++)
		counts[heap->table[i].kind]++;
	printf("%-10s %" PRIu32 " of %d KiB:", "chunks", heap->header->chunks, LG_CHUNK >> 10);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		printf("%s %" PRIu64 " %s", i > 0 ? "," : "", counts[kinds[i].kind], kinds[i].name);
	putchar('\n');
}

static int info(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_info,
		.args_doc = "FILE",
		.doc = "Shows what a heap's superblock says, how large the heap is and how much is in it."
		       "\vThe file is not changed. It must not be open for writing anywhere.",
	};
	const char *file = NULL;
	struct lg_heap_stats stats;

	argp_parse(&argp, argc, argv, 0, NULL, &file);
	lg_heap *heap = open_to_read("heap info", file);
	if (lg_heap_stats_read(heap, &stats) != 0)
		lg_command_fail("heap info", "%s: %s", file, lg_error());
	print_super(heap);
	printf("%-10s %" PRIu64 "\n", "commit", stats.sequence);
	print_bytes("file", stats.file_bytes);
	print_bytes("on disk", stats.disk_bytes);
	print_journal(heap, &stats);
	print_chunks(heap);
	printf("%-10s %" PRIu64 "\n", "roots", stats.roots);
	printf("%-10s %" PRIu64 "\n", "objects", stats.objects);
	print_bytes("in objects", stats.object_bytes);
	(void)lg_heap_close(heap);
	return lg_command_end("heap info");
}

/* --- check -------------------------------------------------------------------------------------- */

struct check_wishes {
	const char *file;
	bool repair;
};

/* As the manual page has them. */
enum { EXIT_FINDINGS = 3, EXIT_REPAIRED = 4 };
enum { KEY_REPAIR = 256, KEY_ROOTS, KEY_CSV };

static const struct argp_option check_options[] = {
	{ "repair", KEY_REPAIR, NULL, 0, "Put right what can be; what was lost stays lost", 0 },
	{ 0 },
};

static error_t parse_check(int key, char *argument, struct argp_state *state)
{
	struct check_wishes *wishes = state->input;

	if (key != KEY_REPAIR)
		return lg_action_take_file(key, argument, state, "heap", &wishes->file);
	wishes->repair = true;
	return 0;
}

static int check(int argc, char **argv)
{
	static const struct argp argp = {
		.options = check_options,
		.parser = parse_check,
		.args_doc = "FILE",
		.doc = "Looks over a heap: superblocks, journal, tables, bitmaps, roots, and each page "
		       "against its checksum. A line for each finding, one with how many objects no root "
		       "leads to, if any, and one with figures."
		       "\vStatus: 0 it is sound; 1 it cannot be looked at; 3 there are findings; 4 there "
		       "were, and they are repaired. Copy the file before --repair.",
	};
	struct check_wishes wishes = { 0 };
	char *text = NULL;
	size_t length = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	FILE *report = open_memstream(&text, &length);
	if (report == NULL)
		lg_command_fail("heap check", "%s", strerror(errno));
	int findings = lg_heap_check(wishes.file, wishes.repair ? LG_HEAP_REPAIR : 0, report);
	if (fclose(report) != 0)
		lg_command_fail("heap check", "%s", strerror(errno));
	fputs(text, stdout);
	free(text);
	if (findings < 0) /* of a disk that cannot be read there may be findings all the same */
		lg_command_fail("heap check", "%s", lg_error());
	int status = lg_command_end("heap check");
	if (status != EXIT_SUCCESS || findings == 0)
		return status;
	return wishes.repair ? EXIT_REPAIRED : EXIT_FINDINGS;
}

/* --- dump --------------------------------------------------------------------------------------- */

struct dump_wishes {
	const char *file;
	bool roots_only;
	bool csv;
};

static const struct argp_option dump_options[] = {
	{ "roots", KEY_ROOTS, NULL, 0, "Only the roots", 0 },
	{ "csv", KEY_CSV, NULL, 0, "Comma-separated values: kind, ref, bytes, class, name", 0 },
	{ 0 },
};

static error_t parse_dump(int key, char *argument, struct argp_state *state)
{
	struct dump_wishes *wishes = state->input;

	switch (key) {
	case KEY_ROOTS:
		wishes->roots_only = true;
		return 0;
	case KEY_CSV:
		wishes->csv = true;
		return 0;
	default:
		return lg_action_take_file(key, argument, state, "heap", &wishes->file);
	}
}

struct dump {
	const struct lg_heap *heap;
	bool csv;
};

/* RFC 4180; the name as it is, whatever a terminal would make of it. */
static void print_quoted(const char *name)
{
	putchar('"');
	for (; *name != '\0'; name++) {
		if (*name == '"')
			putchar('"');
		putchar(*name);
	}
	putchar('"');
}

/* `object` NULL: the root leads to none. `name` NULL: it is no root. */
static void print_line(const struct dump *dump, lg_ref ref, const struct lg_object *object,
		       const char *name)
{
	char bytes[LG_FIGURE_BYTES] = "", class[LG_FIGURE_BYTES] = "", shown[LG_ROOT_NAME];

	if (object != NULL) {
		const struct lg_chunk_entry *entry =
			&dump->heap->table[object->ref >> LG_CHUNK_SHIFT];

		snprintf(bytes, sizeof(bytes), "%" PRIu64, object->bytes);
		if (entry->kind == LG_CHUNK_SLAB)
			snprintf(class, sizeof(class), "%u", (unsigned)entry->class);
		else
			snprintf(class, sizeof(class), "extent");
	}
	if (dump->csv) {
		printf("%s,%#" PRIx64 ",%s,%s,", name != NULL ? "root" : "object", ref, bytes,
		       class);
		if (name != NULL)
			print_quoted(name);
		putchar('\n');
		return;
	}
	snprintf(shown, sizeof(shown), "%s", name != NULL ? name : "");
	lg_process_make_printable(shown);
	printf("%-6s %#16" PRIx64 " %12s %6s%s%s\n", name != NULL ? "root" : "object", ref,
	       object != NULL ? bytes : "-", object != NULL ? class : "-", name != NULL ? " " : "",
	       shown);
}

static int print_object(void *argument, const struct lg_object *object)
{
	print_line(argument, object->ref, object, NULL);
	return ferror(stdout);
}

static void print_roots(const struct dump *dump, lg_heap *heap)
{
	char name[LG_HEAP_NAME_MAX + 1];
	uint64_t cursor = 0;
	lg_ref ref;

	while (lg_heap_root_next(heap, &cursor, name, &ref) != 0) {
		struct lg_object object;
		bool leads = lg_object_of(heap, ref, &object);

		print_line(dump, ref, leads ? &object : NULL, name);
	}
}

static int dump(int argc, char **argv)
{
	static const struct argp argp = {
		.options = dump_options,
		.parser = parse_dump,
		.args_doc = "FILE",
		.doc = "Lists a heap's roots and its live objects: ref (the offset in the file), bytes, and "
		       "size class, or extent."
		       "\vThe file is not changed. It must not be open for writing anywhere.",
	};
	struct dump_wishes wishes = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	lg_heap *heap = open_to_read("heap dump", wishes.file);
	struct dump to = { heap, wishes.csv };
	if (wishes.csv)
		puts("kind,ref,bytes,class,name");
	else
		printf("%-6s %16s %12s %6s %s\n", "KIND", "REF", "BYTES", "CLASS", "NAME");
	print_roots(&to, heap);
	if (!wishes.roots_only)
		(void)lg_object_each(heap, print_object, &to);
	(void)lg_heap_close(heap);
	return lg_command_end("heap dump");
}

/* --- snapshot ----------------------------------------------------------------------------------- */

struct snapshot_wishes {
	const char *file;
	const char *to;
};

static error_t parse_snapshot(int key, char *argument, struct argp_state *state)
{
	struct snapshot_wishes *wishes = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (wishes->to != NULL)
			argp_error(state, "a heap and the new file, not '%s' as well", argument);
		*(wishes->file == NULL ? &wishes->file : &wishes->to) = argument;
		return 0;
	case ARGP_KEY_END:
		if (wishes->to == NULL)
			argp_error(state, "which heap, and into which new file?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int snapshot(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_snapshot,
		.args_doc = "FILE NEW-FILE",
		.doc = "Copies a heap, as its last commit has it, into a new file, which shares its blocks "
		       "where the file system can."
		       "\vA heap that was not closed is recovered first, in its own file. It must not be "
		       "open anywhere: a program that has it open calls lg_heap_snapshot(3).",
	};
	struct snapshot_wishes wishes = { 0 };

	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	lg_heap *heap = lg_heap_open(wishes.file, NULL);
	if (heap == NULL || lg_heap_snapshot(heap, wishes.to) != 0)
		lg_command_fail("heap snapshot", "%s", lg_error());
	if (lg_heap_close(heap) != 0)
		lg_command_fail("heap snapshot", "%s: %s", wishes.file, lg_error());
	return EXIT_SUCCESS;
}

/* --- which of them ------------------------------------------------------------------------------ */

int lg_command_heap(int argc, char **argv)
{
	static const struct lg_action list[] = {
		{ "info", info },
		{ "check", check },
		{ "dump", dump },
		{ "snapshot", snapshot },
	};
	static const struct lg_actions actions = {
		.command = "heap",
		.args_doc =
			"info FILE\ncheck [--repair] FILE\ndump [OPTION...] FILE\nsnapshot FILE NEW-FILE",
		.doc = "Shows, checks and copies persistent heaps, those of lg_heap_open(3)."
		       "\v`lgalloc heap check --help` says more of check, and so for the others.",
		.list = list,
		.count = sizeof(list) / sizeof(list[0]),
	};

	return lg_actions_run(&actions, argc, argv);
}
