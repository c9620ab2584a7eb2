/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The handler is the process's, so every test is a child of its own. The linker's --wrap sends sigaction here, where
 * a thread is held up in the middle of a claim.
 *
 * Faults are real ones, of a page beyond the end of a file. One page is served, by making its file longer.
 */
#include "os/bus.h"

#include "fault/child.h"
#include "pager/pager.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096 };

enum place { NOWHERE, BEFORE, AFTER };

static _Thread_local enum place held_at; /* once, at the kernel's change */
static sem_t reached, go_on;
static void (*after_question)(void); /* once, in the middle of a claim that asked what is there */

static int served_file, not_served_file;
static char *served, *not_served; /* a page each */
static atomic_uint asked;

static sigjmp_buf back;
static siginfo_t told;

/* --- a claim that is held up -------------------------------------------------------------------- */

static void hold_up(enum place place)
{
	if (held_at != place)
		return;
	held_at = NOWHERE;
	sem_post(&reached);
	while (sem_wait(&go_on) != 0)
		;
}

int __real_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	if (action != NULL)
		hold_up(BEFORE);
	int result = __real_sigaction(number, action, old);
	void (*then)(void) = after_question;
	after_question = NULL;
	if (then != NULL)
		then();
	if (action != NULL)
		hold_up(AFTER);
	return result;
}

/* --- what raises it, and who gets it ------------------------------------------------------------ */

static char *map_beyond_the_end(int *file)
{
	*file = memfd_create("empty", MFD_CLOEXEC);
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);

	CLAIM(*file >= 0);
	CLAIM(page != MAP_FAILED);
	return page;
}

static bool serve(void *address, enum lg_os_access access)
{
	(void)access;
	atomic_fetch_add(&asked, 1);
	return address == served && ftruncate(served_file, PAGE) == 0;
}

static void claim(void)
{
	CLAIM(lg_os_bus_claim(serve) == 0);
}

static void claim_is_served(void)
{
	CLAIM(ftruncate(served_file, 0) == 0);
	atomic_store(&asked, 0);
	CLAIM(*(volatile char *)served == 0);
	CLAIM(atomic_load(&asked) == 1);
}

static void touch(void *at)
{
	volatile char byte = *(volatile char *)at;

	fprintf(stderr, "it is %d\n", byte);
}

static void go_back(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	told = *info;
	siglongjmp(back, 1);
}

static void let_program_handle(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	action.sa_sigaction = go_back;
	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
}

static void let_program_be(__sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler };

	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
}

/* `raise_it` must not come back. */
static void claim_program_is_told(void (*raise_it)(int code), int code, const void *address)
{
	told.si_addr = NULL;
	if (sigsetjmp(back, 1) == 0) {
		raise_it(code);
		BROKEN("the program's handler is called");
	}
	CLAIM(told.si_code == code);
	CLAIM(told.si_addr == address);
}

static void raise_beyond_the_end(int code)
{
	(void)code;
	touch(not_served);
}

/* As the kernel does: a thread may tell itself anything. */
static void raise_as_if_it_broke(int code)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = code };

	info.si_addr = served;
	CLAIM(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info) == 0);
}

/* --- the tests ---------------------------------------------------------------------------------- */

static void serve_and_pass_on(void *unused)
{
	(void)unused;
	let_program_handle();
	claim();
	claim(); /* which does nothing */
	claim_is_served();
	claim_program_is_told(raise_beyond_the_end, BUS_ADRERR, not_served);
	claim_is_served();
}

static void what_is_not_ours_is_passed_on(void **state)
{
	(void)state;
	child_claim("a program's handler", serve_and_pass_on, NULL);
}

static void *claim_and_be_held_up(void *place)
{
	held_at = (enum place)(uintptr_t)place;
	claim();
	return NULL;
}

static void claim_in_a_child(void *unused)
{
	(void)unused;
	lg_pager_forget(); /* which is the hook of fork */
	claim();
	claim_is_served();
	claim_program_is_told(raise_beyond_the_end, BUS_ADRERR, not_served);
}

static void claim_without_a_program(void *unused)
{
	(void)unused;
	lg_pager_forget();
	claim();
	struct child_end end = child_try(touch, not_served);
	CLAIM(child_died_of(&end, SIGBUS)); /* and not in a circle of handlers */
}

static bool program_handles;

static void fork_in_the_middle(void *place)
{
	pthread_t thread;

	if (program_handles)
		let_program_handle();
	else
		let_program_be(SIG_DFL); /* not what a sanitizer would do */
	CLAIM(sem_init(&reached, 0, 0) == 0);
	CLAIM(sem_init(&go_on, 0, 0) == 0);
	CLAIM(pthread_create(&thread, NULL, claim_and_be_held_up, place) == 0);
	while (sem_wait(&reached) != 0)
		CLAIM(errno == EINTR);
	child_claim("the child", program_handles ? claim_in_a_child : claim_without_a_program,
		    NULL);
	CLAIM(sem_post(&go_on) == 0);
	CLAIM(pthread_join(thread, NULL) == 0);
	claim_is_served();
}

static void child_that_was_forked_in_the_middle_of_a_claim_makes_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		program_handles = i == 0;
		child_claim("before the change", fork_in_the_middle, (void *)(uintptr_t)BEFORE);
		child_claim("after the change", fork_in_the_middle, (void *)(uintptr_t)AFTER);
	}
}

static void handle_in_the_middle(void *unused)
{
	(void)unused;
	after_question = let_program_handle;
	claim();
	claim_is_served();
	claim_program_is_told(raise_beyond_the_end, BUS_ADRERR, not_served);
}

static void handler_that_comes_in_the_middle_of_a_claim_is_kept(void **state)
{
	(void)state;
	child_claim("a handler in the middle", handle_in_the_middle, NULL);
}

static void break_memory(void *unused)
{
	(void)unused;
	let_program_handle();
	claim();
	claim_is_served();
	atomic_store(&asked, 0);
	claim_program_is_told(raise_as_if_it_broke, BUS_MCEERR_AR, served);
	claim_program_is_told(raise_as_if_it_broke, BUS_MCEERR_AO, served);
	CLAIM(atomic_load(&asked) == 0);
	claim_is_served();
}

/* Who serves would find it there and have it touched again, for ever. */
static void memory_that_broke_is_the_programs(void **state)
{
	(void)state;
	child_claim("memory that broke", break_memory, NULL);
}

static void send_ignored(void *unused)
{
	(void)unused;
	let_program_be(SIG_IGN);
	claim();
	CLAIM(kill(getpid(), SIGBUS) == 0);
	CLAIM(raise(SIGBUS) == 0);
	claim_is_served();
}

static void raise_ignored(void *unused)
{
	(void)unused;
	let_program_be(SIG_IGN);
	claim();
	claim_is_served();
	touch(not_served);
}

static void ignored_signal_ends_who_raised_it_and_nobody_else(void **state)
{
	(void)state;
	child_claim("one that is sent", send_ignored, NULL);
	struct child_end end = child_try(raise_ignored, NULL);
	CLAIM(child_died_of(&end, SIGBUS));
}

/* --- how the program's handler is called -------------------------------------------------------- */

/* The kernel's own, as the C library leaves signals out. */
static uint64_t blocked_signals(void)
{
	uint64_t signals = 0;

	CLAIM(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &signals, sizeof(signals)) == 0);
	return signals;
}

static uint64_t bit(int signal)
{
	return (uint64_t)1 << (signal - 1);
}

static atomic_uint calls;
static uint64_t blocked_in_handler;

/* In this process only: the file is every child's. */
static void map_not_served(int flags, int file)
{
	CLAIM(mmap(not_served, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | flags, file, 0) ==
	      not_served);
}

static void note_mask_and_go_on(int number)
{
	(void)number;
	blocked_in_handler = blocked_signals();
	atomic_fetch_add(&calls, 1);
	map_not_served(MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void block_with(int flags)
{
	struct sigaction action = { .sa_handler = note_mask_and_go_on, .sa_flags = flags };
	uint64_t before;

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR1);
	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
	claim();
	sigset_t blocked;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	CLAIM(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
	before = blocked_signals();
	touch(not_served);
	CLAIM(atomic_load(&calls) == 1);
	CLAIM(blocked_in_handler ==
	      (before | bit(SIGUSR1) | ((flags & SA_NODEFER) != 0 ? 0 : bit(SIGBUS))));
	CLAIM(blocked_signals() == before);
	claim_is_served();
}

static void block_its_own(void *unused)
{
	(void)unused;
	block_with(0);
}

static void block_less(void *unused)
{
	(void)unused;
	block_with(SA_NODEFER);
}

static void handler_has_the_mask_that_the_kernel_would_have_made(void **state)
{
	(void)state;
	child_claim("a handler's own mask", block_its_own, NULL);
	child_claim("SA_NODEFER", block_less, NULL);
}

static void touch_served_and_go_on(int number)
{
	claim_is_served();
	note_mask_and_go_on(number);
}

static void fault_in_a_handler(void *unused)
{
	struct sigaction action = { .sa_handler = touch_served_and_go_on, .sa_flags = SA_NODEFER };

	(void)unused;
	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
	claim();
	touch(not_served);
	CLAIM(atomic_load(&calls) == 1);
}

static void handler_that_asked_for_it_may_have_faults_of_its_own(void **state)
{
	(void)state;
	child_claim("a fault in a handler", fault_in_a_handler, NULL);
}

static void say_it_is_told(int number)
{
	(void)number;
	if (atomic_fetch_add(&calls, 1) > 0)
		_exit(EXIT_FAILURE); /* else it would be for ever */
	CLAIM(write(STDERR_FILENO, "told", 4) == 4);
}

static void let_program_handle_once(__sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = (int)SA_RESETHAND };

	CLAIM(sigaction(SIGBUS, &action, NULL) == 0);
}

static void handle_once(void *unused)
{
	(void)unused;
	let_program_handle_once(say_it_is_told);
	claim();
	claim_is_served();
	touch(not_served);
}

static pthread_barrier_t together;

static void *touch_together(void *unused)
{
	pthread_barrier_wait(&together);
	touch(not_served);
	return unused;
}

static void handle_once_among_threads(void *unused)
{
	pthread_t thread;

	(void)unused;
	let_program_handle_once(say_it_is_told);
	claim();
	CLAIM(pthread_barrier_init(&together, NULL, 2) == 0);
	CLAIM(pthread_create(&thread, NULL, touch_together, NULL) == 0);
	touch_together(NULL);
}

static void touch_after_the_change(void)
{
	touch(not_served);
	CLAIM(atomic_load(&calls) == 1);
	map_not_served(MAP_SHARED, not_served_file);
	CLAIM(write(STDERR_FILENO, "told", 4) == 4);
}

static void let_touch_after_the_change(void)
{
	after_question = touch_after_the_change;
}

static void handle_once_in_the_middle(void *unused)
{
	(void)unused;
	let_program_handle_once(note_mask_and_go_on);
	after_question = let_touch_after_the_change;
	claim();
	touch(not_served);
}

/* How often, at most once. */
static unsigned count_told(void (*body)(void *))
{
	struct child_end end = child_try(body, NULL);

	const char *first = strstr(end.text, "told");

	if (!child_died_of(&end, SIGBUS))
		child_print("a handler that is called once", &end);
	CLAIM(child_died_of(&end, SIGBUS));
	CLAIM(first == NULL || strstr(first + 1, "told") == NULL);
	return first != NULL;
}

static void handler_that_asked_for_it_is_called_once(void **state)
{
	enum { ROUNDS = 50 };
	unsigned heard = 0;

	(void)state;
	assert_int_equal(count_told(handle_once), 1);
	assert_int_equal(count_told(handle_once_in_the_middle), 1);
	/* Who comes second ends the process, perhaps before the first has said a word: so it is with the kernel alone, too. */
	for (unsigned i = 0; i < ROUNDS; i++)
		heard += count_told(handle_once_among_threads);
	assert_true(heard > 0);
}

/* --- who blocks it ------------------------------------------------------------------------------ */

static void wait_until_main_thread_ended(void)
{
	char path[64], text[512], state = '?';

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", (long)getpid());
	while (state != 'Z') {
		FILE *file = fopen(path, "re");
		CLAIM(file != NULL);
		CLAIM(fgets(text, sizeof(text), file) != NULL);
		CLAIM(sscanf(strrchr(text, ')'), ") %c", &state) == 1);
		fclose(file);
		sched_yield();
	}
}

static sigset_t all_but(int signal)
{
	sigset_t signals;

	sigfillset(&signals);
	sigdelset(&signals, signal);
	return signals;
}

static void *outlive_the_main_thread(void *unused)
{
	const sigset_t open = all_but(SIGBUS), closed = all_but(SIGSEGV);

	CLAIM(pthread_sigmask(SIG_SETMASK, &open, NULL) == 0);
	CLAIM(lg_os_bus_is_blocked()); /* by the main thread */
	sem_post(&go_on);
	wait_until_main_thread_ended();
	CLAIM(!lg_os_bus_is_blocked());
	CLAIM(pthread_sigmask(SIG_SETMASK, &closed, NULL) == 0);
	CLAIM(lg_os_bus_is_blocked());
	_exit(EXIT_SUCCESS);
	return unused;
}

static void end_the_main_thread(void *unused)
{
	const sigset_t closed = all_but(SIGSEGV);
	pthread_t thread;

	(void)unused;
	CLAIM(!lg_os_bus_is_blocked());
	CLAIM(pthread_sigmask(SIG_SETMASK, &closed, NULL) == 0);
	CLAIM(sem_init(&go_on, 0, 0) == 0);
	CLAIM(pthread_create(&thread, NULL, outlive_the_main_thread, NULL) == 0);
	while (sem_wait(&go_on) != 0)
		;
	pthread_exit(NULL);
}

static void threads_that_ended_block_nothing(void **state)
{
	(void)state;
	child_claim("a main thread that ended", end_the_main_thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_ours_is_passed_on),
		cmocka_unit_test(child_that_was_forked_in_the_middle_of_a_claim_makes_its_own),
		cmocka_unit_test(handler_that_comes_in_the_middle_of_a_claim_is_kept),
		cmocka_unit_test(memory_that_broke_is_the_programs),
		cmocka_unit_test(ignored_signal_ends_who_raised_it_and_nobody_else),
		cmocka_unit_test(handler_has_the_mask_that_the_kernel_would_have_made),
		cmocka_unit_test(handler_that_asked_for_it_may_have_faults_of_its_own),
		cmocka_unit_test(handler_that_asked_for_it_is_called_once),
		cmocka_unit_test(threads_that_ended_block_nothing),
	};

	served = map_beyond_the_end(&served_file);
	not_served = map_beyond_the_end(&not_served_file);
	return UNIT_RUN(tests);
}
