/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: faults are served on small alternate stacks, inside handlers of the program's signals that come
 * at any moment and touch maps themselves, and in threads that are cancelled: no page stays anybody's for
 * ever. A program's own handler for SIGBUS gets what is its own, whichever of the two was installed first.
 * Method: threads that touch a map through four times its budget, some on alternate stacks with nothing below them;
 * timers send signals whose handler does the same; threads are cancelled again and again. Then a SIGBUS that is the
 * program's, with a handler from before the pager, and one from after, which calls the one that was there.
 * Oracle: contents; a deadline; the addresses that the program's handlers are told.
 */
#include "fault/child.h"
#include "stress/random.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/time.h>

#define MIB ((size_t)1 << 20)
#define BYTES (8 * MIB)

enum { PAGE = 4096, PAGES = 8 << 8, TOUCHES = 20000, CANCELLED = 300, SMALL_STACKS = 4 };

static lg_pager *pager;
static lg_map *map;
static char *volatile data;
static atomic_uint handled;

/* Bytes at both ends of a page: of its number, for ever. */
static void touch(uint64_t *random)
{
	size_t page = random_below(random, PAGES);
	volatile char *at = data + page * PAGE;

	if (random_one_in(random, 2)) {
		at[0] = (char)page;
		at[PAGE - 1] = (char)page;
	}
	if ((at[0] != 0 && at[0] != (char)page) ||
	    (at[PAGE - 1] != 0 && at[PAGE - 1] != (char)page)) {
		static const char words[] = "a page has another's bytes\n";

		if (write(STDERR_FILENO, words, sizeof(words) - 1) > 0)
			abort();
		abort();
	}
}

static void start(const char *options)
{
	pager = lg_pager_new(options);
	CLAIM(pager != NULL);
	map = lg_map_memory(pager, BYTES, NULL);
	CLAIM(map != NULL);
	data = lg_map_data(map);
}

static void end(void)
{
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0); /* nobody holds a page */
	for (size_t page = 0; page < PAGES; page++)
		CLAIM(data[page * PAGE] == 0 || data[page * PAGE] == (char)page);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void on_signal(int number)
{
	uint64_t random = (uint64_t)number ^ (uint64_t)atomic_fetch_add(&handled, 1) << 20;
	int before = errno;

	for (unsigned i = 0; i < 3; i++)
		touch(&random);
	if (errno != before)
		abort();
}

static void touch_some(uintptr_t seed, unsigned touches)
{
	uint64_t random = seed;

	while (touches-- > 0)
		touch(&random);
}

static void *touch_many(void *argument)
{
	touch_some((uintptr_t)argument, TOUCHES);
	return NULL;
}

static void signals_touch_maps(void *options)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
	pthread_t threads[3];

	start(options);
	CLAIM(sigaction(SIGVTALRM, &action, NULL) == 0);
	CLAIM(sigaction(SIGPROF, &action, NULL) == 0);
	CLAIM(setitimer(ITIMER_PROF, &often, NULL) == 0);
	for (uintptr_t i = 0; i < 3; i++)
		CLAIM(pthread_create(&threads[i], NULL, touch_many, (void *)(i + 1)) == 0);
	for (unsigned i = 0; i < 3; i++)
		CLAIM(pthread_join(threads[i], NULL) == 0);
	CLAIM(setitimer(ITIMER_PROF, &never, NULL) == 0);
	CLAIM(atomic_load(&handled) > 0);
	end();
}

static int take_stack(char *bottom, size_t bytes)
{
	const stack_t stack = { .ss_sp = bottom, .ss_size = bytes };

	return sigaltstack(&stack, NULL);
}

/* What SIGSTKSZ was for decades, or a little more than a frame where that is larger, with nothing below it. */
static void on_small_stack(void (*work)(uintptr_t), uintptr_t argument)
{
	enum { USUAL = 8192, MORE = 5000, ROOM = 1 << 16 };
	const stack_t none = { .ss_flags = SS_DISABLE };
	char *range = mmap(NULL, 2 * ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *bottom = range + ROOM;

	CLAIM(range != MAP_FAILED);
	CLAIM(mprotect(bottom, ROOM, PROT_READ | PROT_WRITE) == 0);
	if (take_stack(bottom, USUAL) != 0) {
		CLAIM(errno == ENOMEM);
		CLAIM(take_stack(bottom, (size_t)sysconf(_SC_MINSIGSTKSZ) + MORE) == 0);
	}
	work(argument);
	CLAIM(sigaltstack(&none, NULL) == 0);
	munmap(range, 2 * ROOM);
}

static void touch_a_part(uintptr_t seed)
{
	touch_some(seed, TOUCHES / SMALL_STACKS);
}

static void *touch_on_small_stack(void *argument)
{
	on_small_stack(touch_a_part, (uintptr_t)argument);
	return NULL;
}

/* Of a map that is read only: what leaves is dropped, and what is locked is not. */
static void read_beside_locked_pages(uintptr_t unused)
{
	enum { LOCKED = 16, ROUNDS = 8 };

	(void)unused;
	for (size_t page = 0; page < LOCKED; page++)
		CLAIM(data[page * PAGE] == shelf_byte(page * PAGE));
	if (mlock2(data, (size_t)LOCKED * PAGE, MLOCK_ONFAULT) != 0)
		SKIP("%s", strerror(errno));
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t page = LOCKED; page < PAGES; page++)
			CLAIM(data[page * PAGE] == shelf_byte(page * PAGE));
}

static void small_stacks_are_enough_beside_locked_pages(void *options)
{
	struct shelf shelf;

	pager = lg_pager_new(options);
	CLAIM(pager != NULL);
	shelf_make(&shelf, BYTES);
	map = lg_map_store(pager, &shelf_ops, &shelf, BYTES, "readonly:on");
	CLAIM(map != NULL);
	data = lg_map_data(map);
	on_small_stack(read_beside_locked_pages, 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

static void small_stacks_are_enough(void *options)
{
	pthread_t threads[SMALL_STACKS];

	start(options);
	for (uintptr_t i = 0; i < SMALL_STACKS; i++)
		CLAIM(pthread_create(&threads[i], NULL, touch_on_small_stack, (void *)(i + 5)) ==
		      0);
	for (unsigned i = 0; i < SMALL_STACKS; i++)
		CLAIM(pthread_join(threads[i], NULL) == 0);
	end();
}

static void *touch_for_ever(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;)
		touch(&random);
	return NULL;
}

static void *call_for_ever(void *argument)
{
	uint64_t random = (uintptr_t)argument;
	char bytes[100];

	for (;;) {
		size_t at = random_below(&random, BYTES - sizeof(bytes));

		(void)lg_map_read(map, bytes, sizeof(bytes), at);
		(void)lg_map_advise(map, at, 100000 < BYTES - at ? 100000 : BYTES - at, LG_COLD);
		pthread_testcancel();
	}
	return NULL;
}

static void cancelled_threads_leave_no_page_behind(void *options)
{
	start(options);
	for (uintptr_t i = 1; i <= CANCELLED; i++) {
		pthread_t thread;
		void *result;

		CLAIM(pthread_create(&thread, NULL, i % 3 == 0 ? call_for_ever : touch_for_ever,
				     (void *)i) == 0);
		for (uint64_t random = i, touches = random_below(&random, 40); touches > 0;
		     touches--)
			touch(&random);
		CLAIM(pthread_cancel(thread) == 0);
		CLAIM(pthread_join(thread, &result) == 0);
		CLAIM(result == PTHREAD_CANCELED);
	}
	end();
}

static void *volatile told;
static sigjmp_buf back;
static struct sigaction pagers;

static void on_own_sigbus(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	told = info->si_addr;
	siglongjmp(back, 1);
}

static void on_sigbus_from_after(int number, siginfo_t *info, void *context)
{
	if ((char *)info->si_addr >= data && (char *)info->si_addr < data + BYTES)
		pagers.sa_sigaction(number, info, context);
	else
		on_own_sigbus(number, info, context);
}

/* Beyond the end of a file. */
static void raise_own(void)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	int fd = mkstemp(path);
	char *range = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CLAIM(fd >= 0);
	CLAIM(range != MAP_FAILED);
	CLAIM(unlink(path) == 0);
	close(fd);
	told = NULL;
	if (sigsetjmp(back, 1) == 0) {
		volatile char byte = *(volatile char *)range;

		fprintf(stderr, "it is %d\n", byte);
		BROKEN("beyond the end of a file is SIGBUS");
	}
	CLAIM(told == range);
	munmap(range, PAGE);
}

static void on_sigbus_passed_on(int number, siginfo_t *info, void *context)
{
	pagers.sa_sigaction(number, info, context);
}

/* The pager's handler is behind another, which a child must not take for none. */
static void chain_in_a_child(void *unused)
{
	(void)unused;
	raise_own();
	lg_pager *own = lg_pager_new("memory:1M,page:4K,faults:inline");
	lg_map *map_of_own = lg_map_memory(own, PAGE, NULL);
	CLAIM(map_of_own != NULL);
	((volatile char *)lg_map_data(map_of_own))[0] = 1;
	raise_own();
	CLAIM(lg_map_close(map_of_own) == 0);
	CLAIM(lg_pager_free(own) == 0);
}

static void handlers_are_chained(void *options)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	action.sa_sigaction = on_own_sigbus;
	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
	start(options);
	touch_many((void *)(uintptr_t)7);
	raise_own();
	action.sa_sigaction = on_sigbus_from_after;
	CLAIM(sigaction(SIGBUS, &action, &pagers) == 0);
	touch_many((void *)(uintptr_t)8);
	raise_own();
	action.sa_sigaction = on_sigbus_passed_on;
	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
	touch_many((void *)(uintptr_t)9);
	raise_own();
	child_claim("chaining in a child", chain_in_a_child, NULL);
	end();
}

static void own_sigbus_without_a_handler_kills(void *options)
{
	start(options);
	touch_many((void *)(uintptr_t)7);
	raise(SIGBUS);
}

int main(void)
{
	static const char *const ways[] = { "memory:2M,page:4K,faults:inline",
					    "memory:2M,page:16K,faults:inline,without:move" };
	static char small_pages_in_place[] = "memory:2M,page:4K,faults:inline,without:move";
	static char small_pages[] = "memory:1M,page:4K,faults:inline,prefetch:off,policy:fifo";

	for (unsigned i = 0; i < 2; i++) {
		void *options = (void *)(uintptr_t)ways[i];
		struct child_end last;

		child_claim("signals", signals_touch_maps, options);
		child_claim("small stacks", small_stacks_are_enough, options);
		child_claim("cancellation", cancelled_threads_leave_no_page_behind, options);
		child_claim("chaining", handlers_are_chained, options);
		last = child_try(own_sigbus_without_a_handler_kills, options);
		CLAIM(child_died_of(&last, SIGBUS));
	}
	child_claim("small stacks and pages", small_stacks_are_enough, small_pages_in_place);
	child_claim("small stacks and locked pages", small_stacks_are_enough_beside_locked_pages,
		    small_pages);
	return EXIT_SUCCESS;
}
