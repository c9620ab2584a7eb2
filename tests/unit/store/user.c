/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The linker's --wrap sends the library's raw system calls here: pauses are counted, and over at once. */
#include "store/user.h"

#include "stress/syscall.h"
#include "unit/store/bytes.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <pthread.h>

enum { BYTES = 10000, ROOM = 5 * BLOCK };

/* The store under test: what it does next, and what was asked of it. */
static struct theirs {
	char bytes[ROOM];
	uint64_t has;       /* where reading ends */
	size_t most;        /* the most it moves in a call; 0: any */
	ssize_t always;     /* its only answer, if not 0 */
	ssize_t answers[4]; /* given first, until one is 0x7fff */
	unsigned calls;
	unsigned reads, writes, flushes, discards, closes;
	uint64_t furthest; /* end of what was asked for */
} theirs;

enum { NO_ANSWER = 0x7fff };

static struct lg_store *store;
static char *memory;
static unsigned pauses;

static long kernel_answers(long number, long a[6])
{
	if (number == SYS_clock_nanosleep) {
		pauses++;
		return 0;
	}
	return syscall_really(number, a);
}

/* Where a thread can be cancelled, as at most of what a store does, this one is not. */
static void assert_not_cancelled(void)
{
	int state;

	assert_int_equal(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state), 0);
	assert_int_equal(state, PTHREAD_CANCEL_DISABLE);
}

static bool answers(ssize_t *answer, uint64_t end)
{
	assert_not_cancelled();
	errno = 55; /* as a program's function would */
	if (end > theirs.furthest)
		theirs.furthest = end;
	*answer = theirs.always;
	if (theirs.always != 0)
		return true;
	if (theirs.calls >= 4 || theirs.answers[theirs.calls] == NO_ANSWER)
		return false;
	*answer = theirs.answers[theirs.calls++];
	return true;
}

static size_t some(size_t length)
{
	return theirs.most > 0 && length > theirs.most ? theirs.most : length;
}

static ssize_t read_theirs(void *context, void *buffer, size_t length, uint64_t offset)
{
	ssize_t answer;

	assert_ptr_equal(context, &theirs);
	theirs.reads++;
	if (answers(&answer, offset + length))
		return answer;
	if (offset >= theirs.has)
		return 0;
	if (length > theirs.has - offset)
		length = theirs.has - offset;
	length = some(length);
	memcpy(buffer, theirs.bytes + offset, length);
	return (ssize_t)length;
}

static ssize_t write_theirs(void *context, const void *buffer, size_t length, uint64_t offset)
{
	ssize_t answer;

	assert_ptr_equal(context, &theirs);
	theirs.writes++;
	if (answers(&answer, offset + length))
		return answer;
	length = some(length);
	memcpy(theirs.bytes + offset, buffer, length);
	return (ssize_t)length;
}

static int flush_theirs(void *context)
{
	ssize_t answer;

	assert_ptr_equal(context, &theirs);
	theirs.flushes++;
	return answers(&answer, 0) ? (int)answer : 0;
}

static int discard_theirs(void *context, uint64_t offset, uint64_t length)
{
	assert_ptr_equal(context, &theirs);
	assert_not_cancelled();
	theirs.discards++;
	if (offset + length > theirs.furthest)
		theirs.furthest = offset + length;
	return 0;
}

static void close_theirs(void *context)
{
	assert_ptr_equal(context, &theirs);
	assert_not_cancelled();
	theirs.closes++;
}

static const struct lg_store_ops ops = {
	.size = sizeof(ops),
	.read = read_theirs,
	.write = write_theirs,
	.flush = flush_theirs,
	.discard = discard_theirs,
	.close = close_theirs,
	.signal_safe = true,
};

static int open_theirs(void **state)
{
	(void)state;
	memset(&theirs, 0, sizeof(theirs));
	theirs.answers[0] = NO_ANSWER;
	theirs.has = ROOM;
	pauses = 0;
	store = NULL;
	memory = bytes_new(ROOM);
	return lg_user_store_open(&ops, &theirs, BYTES, false, &store);
}

static int end_theirs(void **state)
{
	(void)state;
	store->calls->close(store);
	munmap(memory, ROOM);
	return theirs.closes == 1 ? 0 : -1;
}

static void answer(ssize_t first, ssize_t second)
{
	theirs.calls = 0;
	theirs.answers[0] = first;
	theirs.answers[1] = second;
	theirs.answers[2] = NO_ANSWER;
}

static void store_says_what_it_is(void **state)
{
	struct lg_store_ops others = ops;
	struct lg_store *other = NULL;

	(void)state;
	assert_true(store->bytes == BYTES);
	assert_int_equal(store->alignment, 1);
	assert_false(store->readonly);
	assert_true(store->signal_safe);
	assert_false(store->begins_zero);
	others.signal_safe = false;
	others.write = NULL;
	assert_int_equal(lg_user_store_open(&others, &theirs, BYTES, false, &other), 0);
	assert_true(other->readonly);
	assert_false(other->signal_safe);
	assert_int_equal(bytes_write(other, memory, BLOCK, 0), -EROFS);
	other->calls->close(other);
	theirs.closes = 0;
	assert_int_equal(lg_user_store_open(&ops, &theirs, BYTES, true, &other), 0);
	assert_int_equal(bytes_write(other, memory, BLOCK, 0), -EROFS);
	assert_int_equal(other->calls->flush(other), 0);
	assert_int_equal(theirs.writes + theirs.flushes, 0);
	other->calls->forget(other);
	assert_int_equal(theirs.closes, 0);
}

static void bad_descriptions_are_refused_and_not_called(void **state)
{
	struct {
		struct lg_store_ops ops;
		char more[64];
	} later = { .ops = ops };
	struct lg_store_ops bad = ops;
	struct lg_store *other = NULL;

	(void)state;
	assert_int_equal(lg_user_store_open(NULL, &theirs, BYTES, false, &other), -EINVAL);
	bad.size = sizeof(ops) - 1;
	assert_int_equal(lg_user_store_open(&bad, &theirs, BYTES, false, &other), -EINVAL);
	assert_non_null(strstr(lg_error(), "size"));
	bad.size = SIZE_MAX;
	assert_int_equal(lg_user_store_open(&bad, &theirs, BYTES, false, &other), -EINVAL);
	bad = ops;
	bad.read = NULL;
	assert_int_equal(lg_user_store_open(&bad, &theirs, BYTES, false, &other), -EINVAL);
	assert_non_null(strstr(lg_error(), "read"));
	assert_int_equal(lg_user_store_open(&ops, &theirs, 0, false, &other), -EINVAL);
	assert_int_equal(lg_user_store_open(&ops, &theirs, UINT64_MAX, false, &other), -EFBIG);
	assert_null(other);
	assert_int_equal(theirs.closes, 0);
	/* A later header's, which asks for nothing that is not known here. */
	later.ops.size = sizeof(later);
	assert_int_equal(lg_user_store_open(&later.ops, &theirs, BYTES, false, &other), 0);
	other->calls->forget(other);
	later.more[60] = 1;
	assert_int_equal(lg_user_store_open(&later.ops, &theirs, BYTES, false, &other), -EINVAL);
}

static void ranges_move_whole_in_whatever_pieces(void **state)
{
	static const size_t most[] = { 0, 1, 100, 4095, 4096, 5000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		struct iovec parts[] = { { memory, BLOCK }, { memory + BLOCK, 2 * BLOCK } };

		theirs.most = most[i];
		bytes_fill(memory, 3 * BLOCK, 0, i);
		errno = 77;
		assert_int_equal(store->calls->write(store, parts, 2, 0), 0);
		memset(memory, 0x11, ROOM);
		assert_int_equal(store->calls->read(store, parts, 2, 0), 0);
		assert_int_equal(errno, 77);
		bytes_claim(memory, BYTES, 0, i);
		bytes_claim_zero(memory + BYTES, 3 * BLOCK - BYTES);
		bytes_claim_zero(theirs.bytes + BYTES, ROOM - BYTES);
		assert_true(theirs.furthest == BYTES);
	}
	assert_int_equal(bytes_read(store, memory, BLOCK, 4 * BLOCK), 0);
	bytes_claim_zero(memory, BLOCK);
	assert_int_equal(bytes_write(store, memory, BLOCK, 4 * BLOCK), 0);
	assert_true(theirs.furthest == BYTES);
}

static void store_that_ends_early_reads_zero(void **state)
{
	(void)state;
	bytes_fill(theirs.bytes, BYTES, 0, 5);
	theirs.has = 4500;
	assert_int_equal(bytes_read(store, memory, 3 * BLOCK, 0), 0);
	bytes_claim(memory, 4500, 0, 5);
	bytes_claim_zero(memory + 4500, 3 * BLOCK - 4500);
}

static void errors_are_answers(void **state)
{
	(void)state;
	answer(-EIO, NO_ANSWER);
	assert_int_equal(bytes_read(store, memory, BLOCK, 0), -EIO);
	answer(-ENOSPC, NO_ANSWER);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), -ENOSPC);
	answer(0, NO_ANSWER);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), -EIO);
	answer(-ETIMEDOUT, NO_ANSWER);
	assert_int_equal(store->calls->flush(store), -ETIMEDOUT);
	assert_int_equal(store->calls->flush(store), 0); /* the store says so */
	/* More than asked for, and no error that there is. */
	answer(BLOCK + 1, NO_ANSWER);
	assert_int_equal(bytes_read(store, memory, BLOCK, 0), -EIO);
	answer(-5000, NO_ANSWER);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), -EIO);
	answer(1, NO_ANSWER);
	assert_int_equal(store->calls->flush(store), -EIO);
}

static void signals_and_bottlenecks_pass(void **state)
{
	(void)state;
	bytes_fill(memory, BLOCK, 0, 9);
	answer(-EINTR, -EAGAIN);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), 0);
	answer(-EAGAIN, -EINTR);
	assert_int_equal(bytes_read(store, memory, BLOCK, 0), 0);
	bytes_claim(memory, BLOCK, 0, 9);
	answer(-EINTR, -EINTR);
	assert_int_equal(store->calls->flush(store), 0);
	assert_int_equal(theirs.flushes, 3);
	assert_int_equal(pauses, 2); /* a signal is over */
}

/* The pager takes -EAGAIN for a wish that it look again, and would do so for ever. */
static void what_does_not_pass_is_an_error(void **state)
{
	static const struct {
		int error;
		unsigned unpaced; /* calls, the first included */
	} ways[] = { { EAGAIN, 1 }, { EINTR, 11 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		theirs.reads = theirs.writes = theirs.flushes = pauses = 0;
		theirs.always = -ways[i].error;
		errno = 77;
		assert_int_equal(bytes_read(store, memory, BLOCK, 0), -EIO);
		assert_int_equal(bytes_write(store, memory, BLOCK, 0), -EIO);
		assert_int_equal(store->calls->flush(store), -EIO);
		assert_int_equal(errno, 77);
		assert_int_equal(theirs.reads, 1001);
		assert_int_equal(theirs.writes, 1001);
		assert_int_equal(theirs.flushes, 1001);
		assert_int_equal(pauses, 3 * (1001 - ways[i].unpaced));
	}
}

static void functions_left_out_do_nothing(void **state)
{
	struct lg_store_ops few = { .size = sizeof(few), .read = read_theirs };
	struct lg_store *other = NULL;

	(void)state;
	assert_int_equal(store->calls->discard(store, 2 * BLOCK, 2 * BLOCK), 0);
	assert_int_equal(theirs.discards, 1);
	assert_true(theirs.furthest == BYTES);
	assert_int_equal(lg_user_store_open(&few, &theirs, BYTES, false, &other), 0);
	assert_int_equal(other->calls->flush(other), 0);
	assert_int_equal(other->calls->discard(other, 0, BLOCK), 0);
	other->calls->close(other);
	assert_int_equal(theirs.closes, 0);
}

/* Each of them said so itself when it was called. */
static void functions_are_called_with_cancellation_held(void **state)
{
	struct iovec part = { .iov_base = memory, .iov_len = BLOCK };
	struct lg_store *other = NULL;
	int now;

	(void)state;
	assert_int_equal(lg_user_store_open(&ops, &theirs, BYTES, false, &other), 0);
	assert_int_equal(other->calls->read(other, &part, 1, 0), 0);
	assert_int_equal(other->calls->write(other, &part, 1, 0), 0);
	assert_int_equal(other->calls->flush(other), 0);
	assert_int_equal(other->calls->discard(other, 0, BLOCK), 0);
	other->calls->close(other);
	lg_user_store_refuse(&ops, &theirs);
	assert_int_equal(theirs.reads, 1);
	assert_int_equal(theirs.writes, 1);
	assert_int_equal(theirs.flushes, 1);
	assert_int_equal(theirs.discards, 1);
	assert_int_equal(theirs.closes, 2);
	theirs.closes = 0;
	assert_int_equal(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &now), 0);
	assert_int_equal(now, PTHREAD_CANCEL_ENABLE); /* as it was before them */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_theirs, end_theirs)
	const struct CMUnitTest tests[] = {
		TEST(store_says_what_it_is),
		TEST(bad_descriptions_are_refused_and_not_called),
		TEST(ranges_move_whole_in_whatever_pieces),
		TEST(store_that_ends_early_reads_zero),
		TEST(errors_are_answers),
		TEST(signals_and_bottlenecks_pass),
		TEST(what_does_not_pass_is_an_error),
		TEST(functions_left_out_do_nothing),
		TEST(functions_are_called_with_cancellation_held),
	};

	return UNIT_RUN(tests);
}
