/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A heap's file as a fuzzer's input: what of it is not zero, as pieces, since a file has 134 MiB and nearly all of it is a hole.
 *
 *   flags (1 byte), then pieces: page (3 bytes), offset in it (2), length (2), bytes
 *
 * Checksums would end nearly every mutation at once. So the flags ask for some of them to be made right behind it: a file
 * that somebody made, and not only one that has rotted.
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include "base/crc.h"
#include "heap/format.h"
#include "os/disk.h"

#include <lgalloc/lgalloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	IMAGE_CHUNKS = LG_CHUNK_FIRST + 40, /* a heap grows by 64 MiB at once */
	IMAGE_PAGES = IMAGE_CHUNKS * LG_CHUNK_PAGES,
	IMAGE_HEAD = 7,
	IMAGE_SEAL_SUPERS = 1,
	IMAGE_SEAL_RECORDS = 2,
	IMAGE_SEAL_IMAGES = 4,
	IMAGE_SEAL_BOOT = 8,
	IMAGE_SEAL_ALL = 15,
};

static const uint64_t image_bytes = (uint64_t)IMAGE_PAGES * LG_HEAP_PAGE;

/* The one file, in memory; its path. */
static int image_file = -1;
static char image_path[64];
static uint32_t image_sum;

#define IMAGE_MUST(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition,         \
				lg_error());                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline void image_begin(void)
{
	image_file = memfd_create("fuzz", MFD_CLOEXEC);
	IMAGE_MUST(image_file >= 0);
	snprintf(image_path, sizeof(image_path), "/proc/self/fd/%d", image_file);
}

/* With BOOT, of mode:shared: as if the machine had not gone down since. */
static inline void image_seal_supers(unsigned flags)
{
	for (off_t at = 0; at <= LG_HEAP_PAGE; at += LG_HEAP_PAGE) {
		struct lg_super super;

		IMAGE_MUST(pread(image_file, &super, sizeof(super), at) == sizeof(super));
		if ((flags & IMAGE_SEAL_BOOT) != 0 && super.mode == LG_HEAP_SHARED)
			super.salt = lg_os_boot();
		lg_super_seal(&super);
		IMAGE_MUST(pwrite(image_file, &super, sizeof(super), at) == sizeof(super));
	}
}

/* A record that begins at this page of a journal in one piece. */
static inline void image_seal_record(char *record, uint64_t room, unsigned flags)
{
	struct lg_record_header *header = (struct lg_record_header *)(void *)record;
	uint64_t head = (uint64_t)header->header_pages * LG_HEAP_PAGE;

	if (head == 0 || head > room || header->homes > header->pages ||
	    header->pages - header->homes > (room - head) / LG_HEAP_PAGE ||
	    sizeof(*header) + header->pages * sizeof(struct lg_record_entry) > head)
		return;
	struct lg_record_entry *entries = (struct lg_record_entry *)(void *)(header + 1);
	for (uint32_t i = 0; i < header->pages - header->homes && (flags & IMAGE_SEAL_IMAGES) != 0;
	     i++)
		entries[i].crc =
			lg_crc32c(0, record + head + (uint64_t)i * LG_HEAP_PAGE, LG_HEAP_PAGE);
	header->crc = 0;
	header->crc = lg_crc32c(0, record, head);
}

static inline void image_seal_records(unsigned flags)
{
	uint64_t from = (uint64_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT;
	char *journal =
		mmap(NULL, LG_CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, image_file, (off_t)from);

	IMAGE_MUST(journal != MAP_FAILED);
	for (uint64_t at = 0; at < LG_CHUNK; at += LG_HEAP_PAGE) {
		uint64_t magic = LG_RECORD_MAGIC;

		if (memcmp(journal + at, &magic, sizeof(magic)) == 0)
			image_seal_record(journal + at, LG_CHUNK - at, flags);
	}
	munmap(journal, LG_CHUNK);
}

/* The file that the input says. */
static inline void image_make(const uint8_t *data, size_t size)
{
	unsigned flags = size > 0 ? data[0] : 0;

	IMAGE_MUST(ftruncate(image_file, 0) == 0);
	IMAGE_MUST(ftruncate(image_file, (off_t)image_bytes) == 0);
	for (size_t at = 1; at < size && size - at > IMAGE_HEAD;) {
		uint64_t page = (uint64_t)data[at] | (uint64_t)data[at + 1] << 8 |
				(uint64_t)data[at + 2] << 16;
		uint64_t offset = (uint64_t)data[at + 3] | (uint64_t)data[at + 4] << 8;
		size_t length = (size_t)data[at + 5] | (size_t)data[at + 6] << 8;

		at += IMAGE_HEAD;
		offset %= LG_HEAP_PAGE;
		length = lg_min(length, lg_min(size - at, LG_HEAP_PAGE - offset));
		offset += page % IMAGE_PAGES * LG_HEAP_PAGE;
		IMAGE_MUST(pwrite(image_file, data + at, length, (off_t)offset) == (ssize_t)length);
		at += length;
	}
	if ((flags & (IMAGE_SEAL_RECORDS | IMAGE_SEAL_IMAGES)) != 0)
		image_seal_records(flags);
	if ((flags & IMAGE_SEAL_SUPERS) != 0)
		image_seal_supers(flags);
}

/* Of its pages that are not zero: to read a hole in a mapping may give it a page. */
static inline uint32_t image_sum_now(void)
{
	static const char zeros[LG_HEAP_PAGE];
	char *bytes = mmap(NULL, image_bytes, PROT_READ, MAP_SHARED, image_file, 0);
	uint32_t sum = 0;
	off_t at = 0;

	IMAGE_MUST(bytes != MAP_FAILED);
	while ((at = lseek(image_file, at, SEEK_DATA)) >= 0)
		for (off_t end = lseek(image_file, at, SEEK_HOLE); at < end; at += LG_HEAP_PAGE)
			if (memcmp(bytes + at, zeros, LG_HEAP_PAGE) != 0) {
				sum = lg_crc32c(sum, &at, sizeof(at));
				sum = lg_crc32c(sum, bytes + at, LG_HEAP_PAGE);
			}
	munmap(bytes, image_bytes);
	return sum;
}

/*
 * Whether the file was changed between the two: a time long ago is what no write leaves. A store to a mapping leaves it, so
 * the contents are compared as well.
 */
static inline void image_mark(void)
{
	const struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	IMAGE_MUST(futimens(image_file, long_ago) == 0);
	image_sum = image_sum_now();
}

static inline void image_must_be_as_marked(void)
{
	struct stat status;

	IMAGE_MUST(fstat(image_file, &status) == 0);
	IMAGE_MUST(status.st_mtim.tv_sec == 1000 && (uint64_t)status.st_size == image_bytes);
	IMAGE_MUST(image_sum_now() == image_sum);
}

#endif
