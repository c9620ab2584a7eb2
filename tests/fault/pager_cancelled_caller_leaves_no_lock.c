/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a thread that is cancelled while it makes the default pager, resizes or frees one, makes or closes a map, or is in
 * a store of the user's own, leaves no lock taken, no page for ever at work, and nothing that nobody can free.
 * Method: the call is made with the cancellation pending already, so that it would end at the first point where
 * a thread can be cancelled. Then others make the same call.
 * Oracle: theirs return, before a deadline, and do what they say.
 */
#include "fault/child.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>

#define MIB ((size_t)1 << 20)

static char path[] = "/var/tmp/lgalloc-test.XXXXXX";
static lg_pager *pager;

static void cancel_during(void *(*call)(void *), void *argument)
{
	pthread_t thread;
	void *result;

	CLAIM(pthread_create(&thread, NULL, call, argument) == 0);
	CLAIM(pthread_join(thread, &result) == 0);
	CLAIM(result == PTHREAD_CANCELED);
}

static void *make_default_pager(void *unused)
{
	(void)unused;
	CLAIM(pthread_cancel(pthread_self()) == 0);
	(void)lg_file_alloc("/nosuch/file", MIB); /* nothing of the file's stays either */
	pthread_testcancel();
	return NULL;
}

static void *use_default_pager(void *unused)
{
	(void)unused;
	char *data = lg_file_alloc(path, MIB);
	CLAIM(data != NULL);
	data[MIB - 1] = 1;
	CLAIM(lg_file_free(data) == 0);
	return NULL;
}

static void default_pager_is_there(void *unused)
{
	pthread_t thread;

	cancel_during(make_default_pager, NULL);
	use_default_pager(unused);
	CLAIM(pthread_create(&thread, NULL, use_default_pager, unused) == 0);
	CLAIM(pthread_join(thread, NULL) == 0);
}

/* The user's part of a resize, which may be anything. */
static ssize_t write_where_threads_end(void *context, const void *buffer, size_t length,
				       uint64_t offset)
{
	pthread_testcancel();
	return shelf_write(context, buffer, length, offset);
}

static void *resize(void *unused)
{
	(void)unused;
	CLAIM(pthread_cancel(pthread_self()) == 0);
	(void)lg_pager_resize(pager, MIB);
	pthread_testcancel();
	return NULL;
}

static void resizes_go_on(void *unused)
{
	struct lg_store_ops ops = shelf_ops;
	struct shelf shelf;

	(void)unused;
	ops.write = write_where_threads_end;
	pager = lg_pager_new("memory:8M,page:16K,faults:inline");
	CLAIM(pager != NULL);
	shelf_make(&shelf, 8 * MIB);
	lg_map *map = lg_map_store(pager, &ops, &shelf, 8 * MIB, NULL);
	CLAIM(map != NULL);
	memset(lg_map_data(map), 'd', 8 * MIB);
	cancel_during(resize, NULL);
	CLAIM(lg_pager_resize(pager, 4 * MIB) == 0);
	CLAIM(lg_map_close(map) == 0);
	for (size_t i = 0; i < 8 * MIB; i++)
		CLAIM(shelf.bytes[i] == 'd');
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

static pthread_t reader;
static atomic_bool ends_reader, has_ended_reader, signals_reader;

static ssize_t read_where_threads_end(void *context, void *buffer, size_t length, uint64_t offset)
{
	if (atomic_exchange(&ends_reader, false))
		while (!atomic_load(&has_ended_reader))
			sched_yield();
	if (atomic_exchange(&signals_reader, false))
		CLAIM(pthread_kill(reader, SIGUSR1) == 0);
	pthread_testcancel();
	return shelf_read(context, buffer, length, offset);
}

static int flush_where_threads_end(void *context)
{
	pthread_testcancel();
	return shelf_flush(context);
}

static void *read_page(void *map)
{
	char byte;

	CLAIM(pthread_cancel(pthread_self()) == 0);
	CLAIM(lg_map_read(map, &byte, 1, 0) == 1);
	CLAIM(byte == shelf_byte(0));
	pthread_testcancel();
	return NULL;
}

static void *touch_page(void *map)
{
	CLAIM(pthread_cancel(pthread_self()) == 0);
	((volatile char *)lg_map_data(map))[MIB] = 't';
	pthread_testcancel();
	return NULL;
}

static void *end_reader(void *unused)
{
	(void)unused;
	while (atomic_load(&ends_reader))
		sched_yield();
	CLAIM(pthread_cancel(reader) == 0);
	atomic_store(&has_ended_reader, true);
	return NULL;
}

/* The thread may end at any time: when its page is nobody's any more. What it runs then may touch a map. */
static void touch_again(void *map)
{
	CLAIM(((volatile char *)lg_map_data(map))[3 * MIB] == shelf_byte(3 * MIB));
}

static void *touch_page_and_end(void *map)
{
	pthread_t other;

	reader = pthread_self();
	atomic_store(&ends_reader, true);
	CLAIM(pthread_create(&other, NULL, end_reader, NULL) == 0);
	CLAIM(pthread_detach(other) == 0);
	pthread_cleanup_push(touch_again, map);
	CLAIM(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == 0);
	(void)((volatile char *)lg_map_data(map))[2 * MIB];
	for (;;)
		sched_yield();
	pthread_cleanup_pop(0);
	return NULL;
}

static void *sync_page(void *map)
{
	CLAIM(pthread_cancel(pthread_self()) == 0);
	CLAIM(lg_map_sync(map, 0, 0) == 0);
	pthread_testcancel();
	return NULL;
}

static sigjmp_buf before_touch;

static void leave_fault(int number)
{
	(void)number;
	siglongjmp(before_touch, 1);
}

/* A signal that came while the page was fetched is delivered behind the fault, and its handler need not return. */
static void *touch_page_and_jump(void *map)
{
	int type;

	reader = pthread_self();
	CLAIM(signal(SIGUSR1, leave_fault) != SIG_ERR);
	CLAIM(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type) == 0);
	if (sigsetjmp(before_touch, 1) == 0) {
		atomic_store(&signals_reader, true);
		(void)((volatile char *)lg_map_data(map))[4 * MIB];
		CLAIM(false);
	}
	CLAIM(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type) == 0);
	CLAIM(type == PTHREAD_CANCEL_ASYNCHRONOUS);
	CLAIM(pthread_cancel(pthread_self()) == 0);
	pthread_testcancel();
	return NULL;
}

static void stores_go_on(void *unused)
{
	struct lg_store_ops ops = shelf_ops;
	struct shelf shelf;
	char byte;

	(void)unused;
	ops.read = read_where_threads_end;
	ops.write = write_where_threads_end;
	ops.flush = flush_where_threads_end;
	pager = lg_pager_new("memory:8M,page:16K,faults:inline,prefetch:off");
	CLAIM(pager != NULL);
	shelf_make(&shelf, 8 * MIB);
	lg_map *map = lg_map_store(pager, &ops, &shelf, 8 * MIB, NULL);
	CLAIM(map != NULL);
	cancel_during(read_page, map);
	CLAIM(lg_map_read(map, &byte, 1, 1) == 1);
	CLAIM(byte == shelf_byte(1));
	cancel_during(touch_page, map);
	CLAIM(((char *)lg_map_data(map))[MIB] == 't');
	cancel_during(touch_page_and_end, map);
	CLAIM(((volatile char *)lg_map_data(map))[2 * MIB] == shelf_byte(2 * MIB));
	cancel_during(touch_page_and_jump, map);
	CLAIM(((volatile char *)lg_map_data(map))[4 * MIB] == shelf_byte(4 * MIB));
	cancel_during(sync_page, map);
	CLAIM(shelf.bytes[MIB] == 't');
	CLAIM(atomic_load(&shelf.flushes) == 1);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

/* What failed is the kernel's to say, and asking it is a point where threads end. */
static void *make_map_beyond_all_addresses(void *shelf)
{
	CLAIM(pthread_cancel(pthread_self()) == 0);
	CLAIM(lg_map_store(pager, &shelf_ops, shelf, (size_t)1 << 48, "page:2M") == NULL);
	atomic_fetch_add(&((struct shelf *)shelf)->held, 1);
	pthread_testcancel();
	return NULL;
}

static void *free_pager(void *freed)
{
	CLAIM(pthread_cancel(pthread_self()) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	atomic_store((atomic_bool *)freed, true);
	pthread_testcancel();
	return NULL;
}

static void making_and_freeing_end(void *unused)
{
	struct shelf shelf;
	atomic_bool freed = false;

	(void)unused;
	pager = lg_pager_new("memory:32M,page:16K,faults:inline");
	CLAIM(pager != NULL);
	shelf_make(&shelf, MIB);
	cancel_during(make_map_beyond_all_addresses, &shelf);
	CLAIM(atomic_load(&shelf.held) == 1);
	CLAIM(atomic_load(&shelf.closes) == 1);
	cancel_during(free_pager, &freed);
	CLAIM(atomic_load(&freed));
	shelf_end(&shelf);
}

static void *read_unreadable(void *map)
{
	char byte;

	CLAIM(pthread_cancel(pthread_self()) == 0);
	CLAIM(lg_map_read(map, &byte, 1, 0) == -EIO);
	pthread_testcancel();
	return NULL;
}

static void poisoned_page_is_nobodys(void *unused)
{
	struct shelf shelf;
	char byte;

	(void)unused;
	pager = lg_pager_new("memory:8M,page:16K,faults:threads,prefetch:off,without:poison");
	if (pager == NULL && errno == EPERM)
		_exit(EXIT_SKIPPED);
	CLAIM(pager != NULL);
	shelf_make(&shelf, MIB);
	atomic_store(&shelf.reads_fail, SHELF_FOR_EVER);
	lg_map *map = lg_map_store(pager, &shelf_ops, &shelf, MIB, NULL);
	CLAIM(map != NULL);
	cancel_during(read_unreadable, map);
	CLAIM(lg_map_read(map, &byte, 1, 0) == -EIO);
	CLAIM(lg_map_retry(map) == 1);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

int main(void)
{
	int fd = mkstemp(path);

	CLAIM(fd >= 0);
	close(fd);
	child_claim("the default pager", default_pager_is_there, NULL);
	CLAIM(unlink(path) == 0);
	child_claim("a resize", resizes_go_on, NULL);
	child_claim("a store", stores_go_on, NULL);
	child_claim("making and freeing", making_and_freeing_end, NULL);
	child_claim("poison", poisoned_page_is_nobodys, NULL);
	return EXIT_SUCCESS;
}
