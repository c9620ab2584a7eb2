/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A kernel that moved a page may say that it failed (EEXIST, 6.18), and one that did not may have no memory to tell. The linker's
 * --wrap sends the library's raw system calls here.
 */
#include "base/bits.h"
#include "os/userfault.h"
#include "stress/syscall.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/pager.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { BYTES = 16 << 20, CELL = 4096, EACH = 50 };

struct move {
	uint64_t dst;
	uint64_t src;
	uint64_t len;
	uint64_t mode;
	int64_t move;
};

static struct {
	atomic_bool lies; /* of some moves that it failed, when it moved a page */
	atomic_uint moves, lied;
	atomic_bool fails; /* moves and zero pages: there is no memory */
} kernel;

static bool lies_about(long request)
{
	return (unsigned long)request == _IOWR(UFFDIO, 0x05, struct move) &&
	       atomic_load(&kernel.lies) && atomic_fetch_add(&kernel.moves, 1) % EACH == 0;
}

static bool fails(long request)
{
	return atomic_load(&kernel.fails) &&
	       ((unsigned long)request == _IOWR(UFFDIO, 0x05, struct move) ||
		(unsigned long)request == UFFDIO_ZEROPAGE);
}

static long kernel_answers(long number, long a[6])
{
	if (number == SYS_ioctl && fails(a[1])) {
		errno = ENOMEM;
		return -1;
	}
	if (number == SYS_mincore && atomic_load(&kernel.fails)) {
		*(unsigned char *)a[2] = 0; /* in swap */
		return 0;
	}
	if (number == SYS_ioctl && lies_about(a[1])) {
		struct move *move = (struct move *)a[2], one = *move;

		one.len = CELL;
		if (__real_syscall(SYS_ioctl, a[0], a[1], &one, 0, 0, 0) == 0) {
			atomic_fetch_add(&kernel.lied, 1);
			move->move = -EEXIST;
			errno = EEXIST;
			return -1;
		}
	}
	return syscall_really(number, a);
}

static void write_and_read(const char *options)
{
	lg_pager *pager = lg_pager_new(options);

	assert_non_null(pager);
	lg_map *map = lg_map_memory(pager, BYTES, NULL);
	assert_non_null(map);
	volatile char *data = lg_map_data(map);
	atomic_store(&kernel.lies, true);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < BYTES; i += CELL)
			data[i] = (char)(i / CELL + round);
		for (size_t i = 0; i < BYTES; i += CELL)
			assert_int_equal(data[i], (char)(i / CELL + round));
	}
	atomic_store(&kernel.lies, false);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static void page_that_moved_is_where_it_is_whatever_is_said(void **state)
{
	static const char *const ways[] = { "memory:2M,page:4K", "memory:2M,page:64K",
					    "memory:2M,page:16K,prefetch:off",
					    "memory:16M,page:2M" };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		write_and_read(ways[i]);
	assert_true(atomic_load(&kernel.lied) > 0);
}

/* In swap, say, with no memory for the other side's table. */
static void page_of_which_nothing_can_be_known_has_not_moved(void **state)
{
	struct lg_os_userfault userfault;
	size_t done;

	(void)state;
	assert_int_equal(lg_os_userfault_open(true, 0, &userfault), 0);
	if (!userfault.can_move)
		skip();
	char *from = mmap(NULL, CELL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *to = mmap(NULL, CELL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(from != MAP_FAILED && to != MAP_FAILED);
	strcpy(from, "precious");
	assert_int_equal(lg_os_userfault_register(&userfault, to, CELL), 0);
	struct lg_os_move out = { .to = to, .from = from, .private = to, .bytes = CELL };
	struct lg_os_move in = { .to = to, .from = from, .private = from, .bytes = CELL };
	atomic_store(&kernel.fails, true);
	assert_int_equal(lg_os_userfault_move(&userfault, &out, &done), -ENOMEM);
	assert_int_equal(done, 0);
	assert_int_equal(lg_os_userfault_move(&userfault, &in, &done), -ENOMEM);
	assert_int_equal(done, 0);
	atomic_store(&kernel.fails, false);
	assert_string_equal(from, "precious");
	assert_int_equal(lg_os_userfault_move(&userfault, &out, &done), 0);
	assert_int_equal(done, CELL);
	assert_string_equal(to, "precious");
	munmap(from, CELL);
	munmap(to, CELL);
	lg_os_userfault_close(&userfault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_that_moved_is_where_it_is_whatever_is_said),
		cmocka_unit_test(page_of_which_nothing_can_be_known_has_not_moved),
	};

	return UNIT_RUN(tests);
}
