/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a handler of the program's signals may touch a map while its own thread is inside any call for the same map, and
 * waits for nothing that this call holds. A user's store may touch the map of another pager, from within a call too.
 * Method: a thread interrupts another again and again, as soon as it is done with the last time; the handler reads and
 * writes the map at random. The other syncs, makes cold and dead, populates, pins, copies, touches and resizes. Then a
 * store that keeps its bytes in the map of another pager is synced.
 * Oracle: contents, whoever wrote them; a deadline.
 */
#include "fault/child.h"
#include "stress/random.h"

#include <lgalloc/pager.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { PAGE = 4096, PAGES = 512, KEPT = 384, ROUNDS = 150, RANGE = 64, PINNED = 8 };

static const char *const most = "memory:1M,page:4K,faults:inline";

static lg_pager *pager;
static lg_map *map;
static char *volatile data;
static atomic_bool written[PAGES], over;
static atomic_uint handled;

static char byte_of(size_t page)
{
	return (char)(page % 251 + 1);
}

static _Noreturn void stop(const char *words)
{
	if (write(STDERR_FILENO, words, strlen(words)) > 0)
		abort();
	abort();
}

/* Those that are made dead may have lost what they had. */
static void check(size_t page, bool was_written, char first, char last)
{
	bool keeps = was_written && page < KEPT;

	if ((first != byte_of(page) && (keeps || first != 0)) ||
	    (last != byte_of(page) && (keeps || last != 0)))
		stop("a page has lost its bytes, or has another's\n");
}

static void touch(uint64_t *random)
{
	size_t page = random_below(random, PAGES);
	volatile char *at = data + page * PAGE;

	if (random_one_in(random, 2)) {
		at[0] = byte_of(page);
		at[PAGE - 1] = byte_of(page);
		atomic_store(&written[page], true);
	}
	bool was_written = atomic_load(&written[page]);
	char first = at[0], last = at[PAGE - 1];
	check(page, was_written, first, last);
}

static void on_signal(int number)
{
	uint64_t random = (uint64_t)number ^ (uint64_t)atomic_load(&handled) << 20;
	int before = errno;

	touch(&random);
	touch(&random);
	errno = before;
	atomic_fetch_add(&handled, 1);
}

static void *interrupt(void *argument)
{
	const struct timespec pause = { 0, 50000 };
	pthread_t thread = *(const pthread_t *)argument;

	while (!atomic_load(&over)) {
		unsigned before = atomic_load(&handled);

		CLAIM(pthread_kill(thread, SIGUSR1) == 0);
		while (atomic_load(&handled) == before && !atomic_load(&over))
			nanosleep(&pause, NULL);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void copy(size_t page)
{
	char bytes[PAGE];

	memset(bytes, byte_of(page), sizeof(bytes));
	CLAIM(lg_map_write(map, bytes, sizeof(bytes), page * PAGE) == PAGE);
	atomic_store(&written[page], true);
	CLAIM(lg_map_read(map, bytes, sizeof(bytes), page * PAGE) == PAGE);
	check(page, true, bytes[0], bytes[PAGE - 1]);
}

static void call_one(uint64_t *random)
{
	size_t count = 1 + random_below(random, RANGE), first = random_below(random, PAGES - count);
	size_t at = first * PAGE, length = count * PAGE, dead = KEPT + first % (PAGES - KEPT);

	switch (random_below(random, 8)) {
	case 0:
		CLAIM(lg_map_sync(map, at, length) == 0);
		break;
	case 1:
		CLAIM(lg_map_advise(map, at, length, LG_COLD) == 0);
		break;
	case 2:
		CLAIM(lg_map_advise(map, dead * PAGE, (PAGES - dead) * PAGE, LG_DEAD) == 0);
		break;
	case 3:
		CLAIM(lg_map_populate(map, at, length) == 0);
		break;
	case 4:
		CLAIM(lg_map_pin(map, at, count < PINNED ? length : PINNED * PAGE) == 0);
		touch(random);
		CLAIM(lg_map_unpin(map, at, count < PINNED ? length : PINNED * PAGE) == 0);
		break;
	case 5:
		copy(first);
		break;
	case 6:
		CLAIM(lg_pager_resize(pager, ((size_t)512 + 512 * (first % 2)) << 10) == 0);
		break;
	default:
		for (unsigned i = 0; i < RANGE; i++)
			touch(random);
	}
}

static lg_map *map_of_file(lg_pager *of)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	int fd = mkstemp(path);
	lg_map *made = lg_map_file(of, path, (size_t)PAGES * PAGE, NULL);

	CLAIM(fd >= 0);
	close(fd);
	CLAIM(made != NULL);
	CLAIM(unlink(path) == 0);
	return made;
}

static void handlers_touch_what_calls_work_on(void *options)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pthread_t self = pthread_self(), other;
	uint64_t random = 1;

	pager = lg_pager_new(options);
	CLAIM(pager != NULL);
	map = map_of_file(pager);
	data = lg_map_data(map);
	CLAIM(sigaction(SIGUSR1, &action, NULL) == 0);
	CLAIM(pthread_create(&other, NULL, interrupt, &self) == 0);
	for (unsigned i = 0; i < ROUNDS; i++)
		call_one(&random);
	atomic_store(&over, true);
	CLAIM(pthread_join(other, NULL) == 0);
	CLAIM(atomic_load(&handled) > 0);
	for (size_t page = 0; page < PAGES; page++)
		check(page, atomic_load(&written[page]), data[page * PAGE],
		      data[page * PAGE + PAGE - 1]);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

/* --- a store in another map --------------------------------------------------------------------- */

static ssize_t read_other(void *other, void *buffer, size_t length, uint64_t offset)
{
	memcpy(buffer, (const char *)other + offset, length);
	return (ssize_t)length;
}

static ssize_t write_other(void *other, const void *buffer, size_t length, uint64_t offset)
{
	memcpy((char *)other + offset, buffer, length);
	return (ssize_t)length;
}

static void stores_touch_other_maps(void *options)
{
	const struct lg_store_ops ops = { .size = sizeof(ops),
					  .read = read_other,
					  .write = write_other };
	lg_pager *below = lg_pager_new(options);
	pager = lg_pager_new(options);
	CLAIM(below != NULL);
	CLAIM(pager != NULL);
	lg_map *under = map_of_file(below);
	map = lg_map_store(pager, &ops, lg_map_data(under), (size_t)PAGES * PAGE, NULL);
	CLAIM(map != NULL);
	data = lg_map_data(map);
	for (unsigned turn = 0; turn < 8; turn++) {
		for (size_t page = turn; page < PAGES; page += 3)
			data[page * PAGE] = byte_of(page + turn);
		CLAIM(lg_map_advise(under, 0, 0, LG_COLD) == 0);
		CLAIM(lg_map_sync(map, 0, 0) == 0);
		CLAIM(lg_map_advise(map, 0, 0, LG_DEAD) == 0);
		for (size_t page = turn; page < PAGES; page += 3)
			CLAIM(data[page * PAGE] == byte_of(page + turn));
	}
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_map_close(under) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	CLAIM(lg_pager_free(below) == 0);
}

int main(void)
{
	static const char *const ways[] = { "", ",without:wp", ",without:move" };

	for (unsigned i = 0; i < 3; i++) {
		char options[100];

		snprintf(options, sizeof(options), "%s%s", most, ways[i]);
		child_claim("handlers", handlers_touch_what_calls_work_on, options);
		child_claim("stores", stores_touch_other_maps, options);
	}
	return EXIT_SUCCESS;
}
