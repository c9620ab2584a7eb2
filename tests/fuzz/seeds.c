/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* seeds DIRECTORY: heaps of every kind, as inputs of image.h: new, closed, killed with commits in the journal, with one superblock, and more. */
#include "fuzz/image.h"
#include "heap/heap.h"

#include <fcntl.h>
#include <lgalloc/lgalloc.h>
#include <sys/wait.h>

static const struct lg_heap_setup foreground = { .ops = &lg_os_disk_plain, .foreground = true };

/* Stretches between zeros; a few zeros more are cheaper than another piece. */
static void write_page(FILE *to, uint32_t page, const unsigned char *bytes)
{
	enum { GAP = 16 };

	for (unsigned at = 0; at < LG_HEAP_PAGE;) {
		unsigned zeros = 0, end = at;

		if (bytes[at] == 0) {
			at++;
			continue;
		}
		for (; end < LG_HEAP_PAGE && zeros < GAP; end++)
			zeros = bytes[end] == 0 ? zeros + 1 : 0;
		end -= zeros;
		unsigned length = end - at;
		const unsigned char head[IMAGE_HEAD] = {
			(unsigned char)page,         (unsigned char)(page >> 8),
			(unsigned char)(page >> 16), (unsigned char)at,
			(unsigned char)(at >> 8),    (unsigned char)length,
			(unsigned char)(length >> 8)
		};
		IMAGE_MUST(fwrite(head, sizeof(head), 1, to) == 1);
		IMAGE_MUST(fwrite(bytes + at, length, 1, to) == 1);
		at = end;
	}
}

/* The same heap once as it is, and once with all checksums to be made right. */
static void write_seed(const char *directory, const char *name, int file)
{
	for (unsigned flags = 0; flags <= IMAGE_SEAL_ALL; flags += IMAGE_SEAL_ALL) {
		unsigned char bytes[LG_HEAP_PAGE];
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s-%u", directory, name, flags);
		FILE *to = fopen(path, "we");
		IMAGE_MUST(to != NULL && fputc((int)flags, to) != EOF);
		off_t at = 0, end;
		while ((at = lseek(file, at, SEEK_DATA)) >= 0) {
			end = lseek(file, at, SEEK_HOLE);
			for (at -= at % LG_HEAP_PAGE; at < end; at += LG_HEAP_PAGE) {
				IMAGE_MUST(pread(file, bytes, sizeof(bytes), at) == sizeof(bytes));
				write_page(to, (uint32_t)(at / LG_HEAP_PAGE), bytes);
			}
		}
		IMAGE_MUST(fclose(to) == 0);
	}
}

/* What the heaps are: so many commits, then closed or not. Little in them, or the inputs are long. */
static void work(const char *path, const char *options, unsigned commits, bool closed)
{
	lg_ref refs[8] = { 0 };
	lg_heap *heap = lg_heap_open_with(path, options, &foreground);

	IMAGE_MUST(heap != NULL);
	for (unsigned i = 0; i < commits; i++) {
		char name[16];
		size_t bytes = i % 5 == 3 ? 70000 : 16 + 40 * i;

		if (refs[i % 8] != 0)
			IMAGE_MUST(lg_heap_free(heap, lg_heap_at(heap, refs[i % 8])) == 0);
		lg_ref *object = lg_heap_calloc(heap, 1, bytes);
		IMAGE_MUST(object != NULL);
		object[0] = refs[(i + 7) % 8];
		object[1] = i + 1;
		refs[i % 8] = lg_heap_ref(heap, object);
		snprintf(name, sizeof(name), "root %u", i % 8);
		IMAGE_MUST(lg_heap_root_set(heap, name, refs[i % 8]) == 0);
		IMAGE_MUST(lg_heap_commit(heap) == 0);
	}
	if (closed)
		IMAGE_MUST(lg_heap_close(heap) == 0);
}

int main(int count, char **arguments)
{
	static const char atomic[] = "reserve:256M,create:on,journal:256K";
	static const char shared[] = "reserve:256M,create:on,mode:shared";
	static const struct {
		const char *name;
		unsigned commits;
		bool closed;
		const char *options;
		unsigned rotted; /* 1, 2: this superblock */
	} seeds[] = {
		{ "new", 0, true, atomic, 0 },
		{ "one", 1, true, atomic, 0 },
		{ "closed", 9, true, atomic, 0 },
		{ "killed", 3, false, atomic, 0 },
		{ "killed-long", 9, false, atomic, 0 },
		{ "lapped", 25, false, atomic, 0 },
		{ "lapped-closed", 25, true, atomic, 0 },
		{ "rotted-first", 9, false, atomic, 1 },
		{ "rotted-second", 9, true, atomic, 2 },
		{ "shared-new", 0, true, shared, 0 },
		{ "shared-closed", 9, true, shared, 0 },
		{ "shared-killed", 3, false, shared, 0 },
		{ "shared-killed-long", 25, false, shared, 0 },
		{ "shared-rotted", 3, false, shared, 2 },
	};
	char path[4096];

	if (count != 2)
		return 2;
	for (unsigned i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		int status;

		snprintf(path, sizeof(path), "%s/seed.heap", arguments[1]);
		unlink(path);
		/* In a child, which ends as a killed process does: nothing is closed. */
		pid_t child = fork();
		if (child == 0) {
			work(path, seeds[i].options, seeds[i].commits, seeds[i].closed);
			_exit(0);
		}
		IMAGE_MUST(waitpid(child, &status, 0) == child && status == 0);
		int file = open(path, O_RDWR | O_CLOEXEC);
		IMAGE_MUST(file >= 0 && lseek(file, 0, SEEK_END) <= (off_t)image_bytes);
		if (seeds[i].rotted > 0)
			IMAGE_MUST(pwrite(file, "", 1, (seeds[i].rotted - 1) * LG_HEAP_PAGE) == 1);
		write_seed(arguments[1], seeds[i].name, file);
		close(file);
		unlink(path);
	}
	return 0;
}
