/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: with faults:threads system calls may be given any address of a map, absent, write-protected or neither;
 * with faults:inline they say EFAULT (or less than asked for), and never lose or invent a byte; there what
 * is pinned can be given to them. This holds for calls past the page cache too, while pages leave.
 * Method: read(2), write(2), pread, pwrite, readv and O_DIRECT into and from a map four times the budget.
 * Oracle: what the calls say they moved is there afterwards, byte for byte, and nothing else changed.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <fcntl.h>
#include <sys/uio.h>

#define MIB ((size_t)1 << 20)
#define BYTES (8 * MIB)

enum { PIECE = 128 << 10 };

static char path[] = "/var/tmp/lgalloc-test.XXXXXX";
static lg_pager *pager;
static lg_map *map;
static char *data;

static char byte_of(size_t offset)
{
	return (char)(1 + (offset >> 9) % 250);
}

static bool open_pager(const char *options)
{
	pager = lg_pager_new(options);
	if (pager == NULL && errno == EPERM) {
		fprintf(stderr, "left out: %s\n", lg_error());
		return false;
	}
	CLAIM(pager != NULL);
	map = lg_map_memory(pager, BYTES, NULL);
	CLAIM(map != NULL);
	data = lg_map_data(map);
	return true;
}

static void close_pager(void)
{
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void make_file(void)
{
	char *bytes = malloc(BYTES);
	int fd = mkstemp(path);

	CLAIM(fd >= 0);
	CLAIM(bytes != NULL);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = byte_of(i);
	CLAIM(write(fd, bytes, BYTES) == (ssize_t)BYTES);
	close(fd);
	free(bytes);
}

static void claim_piece(const char *at, size_t offset, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (at[i] != byte_of(offset + i)) {
			fprintf(stderr, "byte %zu is %d, should be %d\n", offset + i, at[i],
				byte_of(offset + i));
			BROKEN("what a call says it moved is there");
		}
}

static void read_all(int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	if (fd < 0 && errno == EINVAL)
		return; /* no O_DIRECT here */
	CLAIM(fd >= 0);
	for (size_t offset = 0; offset < BYTES; offset += PIECE) {
		struct iovec parts[2] = { { data + offset, PIECE / 2 },
					  { data + offset + PIECE / 2, PIECE / 2 } };

		CLAIM(preadv(fd, parts, 2, (off_t)offset) == PIECE);
	}
	close(fd);
	for (size_t offset = 0; offset < BYTES; offset += PIECE)
		claim_piece(data + offset, offset, PIECE);
}

static void write_all(int flags)
{
	char copy[] = "/var/tmp/lgalloc-test.XXXXXX", *bytes = malloc(PIECE);
	int fd = mkostemp(copy, O_CLOEXEC);

	CLAIM(bytes != NULL);
	CLAIM(fd >= 0);
	(void)fcntl(fd, F_SETFL, flags); /* where there is no O_DIRECT it is without */
	CLAIM(unlink(copy) == 0);
	for (size_t offset = 0; offset < BYTES; offset += PIECE)
		CLAIM(pwrite(fd, data + offset, PIECE, (off_t)offset) == PIECE);
	fcntl(fd, F_SETFL, 0);
	for (size_t offset = 0; offset < BYTES; offset += PIECE) {
		CLAIM(pread(fd, bytes, PIECE, (off_t)offset) == PIECE);
		claim_piece(bytes, offset, PIECE);
	}
	close(fd);
	free(bytes);
}

static void served_by_threads(void *options)
{
	if (!open_pager(options))
		return;
	read_all(0);
	write_all(0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	write_all(O_DIRECT);
	CLAIM(lg_map_advise(map, 0, 0, LG_DEAD) == 0);
	read_all(O_DIRECT);
	read_all(O_DIRECT); /* over what was just read */
	close_pager();
}

static void refused_inline(void *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CLAIM(fd >= 0);
	CLAIM(open_pager(options));
	errno = 0;
	CLAIM(pread(fd, data, PIECE, 0) == -1); /* absent */
	CLAIM(errno == EFAULT);
	CLAIM(data[0] == 0);
	CLAIM(pread(fd, data + 16, 100, 0) == -1 ||
	      data[16] == byte_of(0)); /* there, zero, perhaps not writable */
	data[PIECE - 1] = 'w';
	data[PIECE] = 'x';
	CLAIM(lg_map_pin(map, 0, PIECE) == 0);
	CLAIM(pread(fd, data, PIECE, 0) == PIECE);
	claim_piece(data, 0, PIECE);
	CLAIM(data[PIECE] == 'x');
	CLAIM(lg_map_unpin(map, 0, PIECE) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	int pipes[2];
	CLAIM(pipe(pipes) == 0);
	CLAIM(write(pipes[1], data, 100) == -1);
	CLAIM(errno == EFAULT);
	claim_piece(data, 0, PIECE);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	close_pager();
}

int main(void)
{
	make_file();
	child_claim("threads", served_by_threads, (void *)"memory:2M,page:16K,faults:threads");
	child_claim("threads, 4K", served_by_threads, (void *)"memory:2M,page:4K,faults:threads");
	child_claim("threads, without write-protection", served_by_threads,
		    (void *)"memory:2M,page:16K,faults:threads,without:wp");
	child_claim("inline", refused_inline, (void *)"memory:2M,page:16K,faults:inline");
	CLAIM(unlink(path) == 0);
	return EXIT_SUCCESS;
}
