/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/file.h"

#include "unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lgalloc/lgalloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static struct lg_os_file file;

static int open_here(void **state)
{
	(void)state;
	return lg_os_file_open(".", &file);
}

static int close_here(void **state)
{
	(void)state;
	lg_os_file_close(&file);
	return 0;
}

static unsigned names_here(void)
{
	DIR *directory = opendir(".");
	unsigned names = 0;

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
		names += strncmp(entry->d_name, "lgalloc.", 8) == 0;
	closedir(directory);
	return names;
}

static uint64_t disk_bytes(void)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_os_file_disk_bytes(&file, &bytes), 0);
	return bytes;
}

static void new_file_has_no_name_and_nobody_else_may_read_it(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(names_here(), 0);
	assert_int_equal(fstat(file.fd, &status), 0);
	assert_int_equal(status.st_nlink, 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(S_ISREG(status.st_mode));
	assert_true((fcntl(file.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true(lg_os_file_is_ours(&file));
	assert_true(disk_bytes() == 0);
}

static void descriptor_is_kept_high(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur > 256)
		assert_true(file.fd >= 64);
}

static void bad_directories_are_an_errno_that_names_them(void **state)
{
	struct lg_os_file other = { .fd = -1 };
	char longest[6000];

	(void)state;
	assert_int_equal(lg_os_file_open("./there/is/none", &other), -ENOENT);
	assert_non_null(strstr(lg_error(), "./there/is/none"));
	assert_int_equal(lg_os_file_open("/proc/self/status", &other), -ENOTDIR);
	memset(longest, 'd', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(lg_os_file_open(longest, &other), -ENAMETOOLONG);
	assert_true(lg_os_file_open("/proc/self", &other) < 0);
	assert_int_equal(other.fd, -1);
}

static void extending_is_sparse_and_never_shrinks(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(lg_os_file_extend(&file, 64 * (uint64_t)PIECE), 0);
	assert_int_equal(lg_os_file_extend(&file, PIECE), 0);
	assert_int_equal(lg_os_file_extend(&file, 0), 0);
	assert_true(file.bytes == 64 * (uint64_t)PIECE);
	assert_int_equal(fstat(file.fd, &status), 0);
	assert_true(status.st_size == 64 * (off_t)PIECE);
	assert_true(disk_bytes() == 0);
}

/* SIGXFSZ would end this program. */
static void file_size_limit_is_an_answer_and_no_signal(void **state)
{
	struct rlimit before, limit;
	int error;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(lg_os_file_extend(&file, PIECE), 0);
	limit = before;
	limit.rlim_cur = 2 * PIECE;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	error = lg_os_file_extend(&file, 2 * PIECE + 1);
	int exact = lg_os_file_extend(&file, 2 * PIECE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(error, -EFBIG);
	assert_int_equal(exact, 0);
	assert_true(file.bytes == 2 * PIECE);
}

static void reserving_takes_blocks_and_keeps_contents_and_size(void **state)
{
	struct stat status;
	char text[5] = "";

	(void)state;
	assert_int_equal(lg_os_file_extend(&file, 4 * PIECE), 0);
	assert_int_equal(pwrite(file.fd, "kept", 4, PIECE), 4);
	assert_int_equal(lg_os_file_reserve(&file, PIECE, 2 * PIECE), 0);
	assert_true(disk_bytes() >= 2 * PIECE);
	assert_int_equal(pread(file.fd, text, 4, PIECE), 4);
	assert_string_equal(text, "kept");
	assert_int_equal(lg_os_file_reserve(&file, 8 * PIECE, PIECE), 0);
	assert_int_equal(fstat(file.fd, &status), 0);
	assert_true(status.st_size == 4 * PIECE);
}

static void zeroing_reads_zero_and_keeps_the_blocks(void **state)
{
	char text[4096], zero[4096] = { 0 };

	(void)state;
	assert_int_equal(lg_os_file_extend(&file, PIECE), 0);
	assert_int_equal(lg_os_file_reserve(&file, 0, PIECE), 0);
	memset(text, 'z', sizeof(text));
	for (off_t at = 0; at < PIECE; at += (off_t)sizeof(text))
		assert_int_equal(pwrite(file.fd, text, sizeof(text), at), sizeof(text));
	uint64_t before = disk_bytes();
	int error = lg_os_file_zero(&file, 4096, PIECE - 2 * 4096);
	if (error == -EOPNOTSUPP)
		skip(); /* tmpfs, XFS */
	assert_int_equal(error, 0);
	assert_true(disk_bytes() >= before);
	for (off_t at = 0; at < PIECE; at += (off_t)sizeof(text)) {
		bool edge = at == 0 || at == PIECE - 4096;
		char got[4096];

		assert_int_equal(pread(file.fd, got, sizeof(got), at), sizeof(got));
		assert_memory_equal(got, edge ? text : zero, sizeof(got));
	}
	file.zeroes_in_place = false;
	assert_int_equal(lg_os_file_zero(&file, 0, 4096), -EOPNOTSUPP);
}

static void writing_back_is_allowed_anywhere(void **state)
{
	(void)state;
	assert_int_equal(lg_os_file_extend(&file, PIECE), 0);
	assert_int_equal(pwrite(file.fd, "text", 4, 0), 4);
	assert_int_equal(lg_os_file_write_back(&file, 0, PIECE), 0);
}

/* The program closed our descriptor and its number is another file's now. */
static void reused_number_is_not_ours_and_is_not_harmed(void **state)
{
	char text[9] = "";
	char name[] = "unit.os.file.XXXXXX";
	int number = file.fd, theirs = mkstemp(name);
	struct stat status;
	uint64_t bytes;

	(void)state;
	assert_true(theirs >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(theirs, "precious", 8), 8);
	assert_int_equal(lg_os_file_extend(&file, PIECE), 0);
	assert_true(dup2(theirs, number) == number);
	assert_false(lg_os_file_is_ours(&file));
	assert_int_equal(lg_os_file_extend(&file, 2 * PIECE), -EBADF);
	assert_int_equal(lg_os_file_reserve(&file, 0, PIECE), -EBADF);
	assert_int_equal(lg_os_file_zero(&file, 0, PIECE), -EBADF);
	assert_int_equal(lg_os_file_write_back(&file, 0, PIECE), -EBADF);
	assert_int_equal(lg_os_file_disk_bytes(&file, &bytes), -EBADF);
	lg_os_file_close(&file);
	assert_int_equal(file.fd, -1);
	assert_int_equal(fstat(number, &status), 0); /* still open: it is theirs */
	assert_true(status.st_size == 8);
	assert_int_equal(pread(number, text, 8, 0), 8);
	assert_string_equal(text, "precious");
	close(number);
	close(theirs);
}

static void closed_number_is_not_ours(void **state)
{
	uint64_t bytes;

	(void)state;
	close(file.fd);
	assert_false(lg_os_file_is_ours(&file));
	assert_int_equal(lg_os_file_extend(&file, PIECE), -EBADF);
	assert_int_equal(lg_os_file_reserve(&file, 0, PIECE), -EBADF);
	assert_int_equal(lg_os_file_disk_bytes(&file, &bytes), -EBADF);
	lg_os_file_close(&file);
	assert_int_equal(file.fd, -1);
	assert_false(lg_os_file_is_ours(&file));
	lg_os_file_close(&file);
}

/* How many mappings show the file with this inode; the column before the path. */
static unsigned mappings_of(ino_t inode)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long one = 0;

		count += sscanf(line, "%*s %*s %*s %*s %lu", &one) == 1 && one == inode;
	}
	fclose(maps);
	return count;
}

/* Else the program's next file could be taken for ours, which it had closed. */
static void inode_stays_in_use_while_the_record_does(void **state)
{
	(void)state;
	assert_int_equal(mappings_of(file.inode), 1);
	close(file.fd);
	assert_int_equal(mappings_of(file.inode), 1);
	ino_t inode = file.inode;
	lg_os_file_close(&file);
	assert_int_equal(mappings_of(inode), 0);
}

/* A mapping there is in whole huge pages, of which there may be none to be had. */
static void file_of_huge_pages_leaves_no_mapping(void **state)
{
	int fd = memfd_create("unit.os.file", MFD_CLOEXEC | MFD_HUGETLB);
	void *probe = mmap(NULL, 2 << 20, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	struct lg_os_file huge;

	(void)state;
	if (probe == MAP_FAILED)
		skip(); /* nor has qemu-user addresses for it */
	munmap(probe, 2 << 20);
	assert_int_equal(lg_os_file_adopt(fd, &huge), 0);
	assert_int_equal(mappings_of(huge.inode), 1);
	ino_t inode = huge.inode;
	lg_os_file_close(&huge);
	assert_int_equal(mappings_of(inode), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_here, close_here)
	const struct CMUnitTest tests[] = {
		TEST(new_file_has_no_name_and_nobody_else_may_read_it),
		TEST(descriptor_is_kept_high),
		TEST(bad_directories_are_an_errno_that_names_them),
		TEST(extending_is_sparse_and_never_shrinks),
		TEST(file_size_limit_is_an_answer_and_no_signal),
		TEST(reserving_takes_blocks_and_keeps_contents_and_size),
		TEST(zeroing_reads_zero_and_keeps_the_blocks),
		TEST(writing_back_is_allowed_anywhere),
		TEST(reused_number_is_not_ours_and_is_not_harmed),
		TEST(closed_number_is_not_ours),
		TEST(inode_stays_in_use_while_the_record_does),
		TEST(file_of_huge_pages_leaves_no_mapping),
	};

	return UNIT_RUN(tests);
}
