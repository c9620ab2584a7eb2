/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/pager.h"

#include "base/error.h"
#include "os/bus.h"
#include "os/limits.h"
#include "os/map.h"
#include "pager/atlas.h"
#include "pager/budget.h"
#include "pager/content.h"
#include "pager/fault.h"
#include "pager/limbo.h"
#include "pager/map.h"
#include "pager/pin.h"
#include "pager/roster.h"
#include "pager/server.h"
#include "pager/writer.h"
#include "store/range.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_PART = 4, /* of memory, and of the limits: the budget where none is named */
	LIMIT_PART = 4,   /* of RLIMIT_AS, RLIMIT_DATA: the maps and the program have the rest */
};

static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct lg_pager *) default_pager;

int lg_pager_refuse(const char *what, int error)
{
	return lg_fail(-error, "%s: %s%s", what, lg_error_name(-error),
		       lg_os_address_space_hint(error));
}

/* --- how faults are served ---------------------------------------------------------------------- */

static int choose_faults(struct lg_pager *pager)
{
	const struct lg_pager_options *options = &pager->options;
	bool blocked = options->faults == LG_FAULTS_AUTO && lg_os_bus_is_blocked();

	_Static_assert((int)LG_WITHOUT_MOVE == (int)LG_OS_WITHOUT_MOVE, "one set of bits");
	_Static_assert((int)LG_WITHOUT_POISON == (int)LG_OS_WITHOUT_POISON, "one set of bits");
	_Static_assert((int)LG_WITHOUT_WP == (int)LG_OS_WITHOUT_WP, "one set of bits");
	pager->in_threads = options->faults == LG_FAULTS_THREADS || blocked;
	int error = lg_os_userfault_open(!pager->in_threads, (unsigned)options->without,
					 &pager->userfault);
	if (error == -EPERM && blocked)
		return lg_fail(EPERM,
			       "a thread of this process blocks SIGBUS, and would die of a fault; "
			       "faults:threads is not permitted: it needs root (CAP_SYS_PTRACE), "
			       "vm.unprivileged_userfaultfd=1 or access to /dev/userfaultfd; "
			       "with faults:inline it must touch no map");
	if (error != 0)
		return error;
	pager->to_frames = &pager->userfault;
	if (pager->in_threads) {
		error = lg_os_userfault_open(true, (unsigned)options->without,
					     &pager->frames_userfault);
		if (error != 0)
			lg_os_userfault_close(&pager->userfault);
		pager->to_frames = &pager->frames_userfault;
		return error;
	}
	error = lg_os_bus_claim(lg_fault_signal);
	if (error != 0) {
		lg_os_userfault_close(&pager->userfault);
		return lg_fail(-error, "the handler for SIGBUS: %s", lg_error_name(-error));
	}
	return 0;
}

static void close_faults(struct lg_pager *pager)
{
	lg_os_userfault_close(&pager->userfault);
	if (pager->in_threads)
		lg_os_userfault_close(&pager->frames_userfault);
}

/* --- threads ------------------------------------------------------------------------------------ */

static int start_threads(struct lg_pager *pager, void *(*run)(void *), uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		int error = lg_os_thread_start(run, pager, &pager->threads[pager->thread_count]);

		if (error != 0)
			return lg_pager_refuse(
				error == -EAGAIN ?
					"a thread of a pager, of which the user (ulimit -u) or the "
					"cgroup (pids.max) may have no more" :
					"a thread of a pager",
				error);
		pager->thread_count++;
	}
	return 0;
}

static void stop_threads(struct lg_pager *pager)
{
	lg_store_release(&pager->stop, true);
	lg_add_ordered(&pager->work, 1);
	lg_os_wake_all(&pager->work);
	lg_add_ordered(&pager->spare_work, 1);
	lg_os_wake_all(&pager->spare_work);
	lg_add_release(&pager->requests.posted, 1);
	lg_os_wake_all(&pager->requests.posted);
	lg_os_hangup_say(&pager->hangup);
	for (unsigned i = 0; i < pager->thread_count; i++)
		pthread_join(pager->threads[i], NULL);
}

/* Beside those that are spare. */
static void set_readers(struct lg_pager *pager, uint32_t readers)
{
	struct lg_requests *requests = &pager->requests;
	uint64_t signals = lg_os_latch_hold(&requests->lock);

	requests->crew.threads = readers + LG_CREW_SPARE;
	requests->crew.most = readers;
	lg_os_latch_let_go(&requests->lock, signals);
	lg_store_relaxed(&pager->readers, readers);
}

static int start_servers(struct lg_pager *pager)
{
	pager->servers.crew = (struct lg_crew){ .threads = LG_SERVERS_ALL, .most = LG_SERVERS };
	return start_threads(pager, lg_server_run, LG_SERVERS_ALL);
}

static int start(struct lg_pager *pager)
{
	uint32_t writers = (uint32_t)pager->options.writers;

	pager->writers = (struct lg_crew){ .threads = writers + LG_CREW_SPARE, .most = writers };
	pager->helpers = (struct lg_crew){ .threads = UINT32_MAX, .most = LG_HELPERS };
	int error = start_threads(pager, lg_writer_run, pager->writers.threads);

	uint32_t readers = (uint32_t)pager->options.readers;
	set_readers(pager, readers);
	if (error == 0)
		error = start_threads(pager, lg_prefetch_run, readers + LG_CREW_SPARE);
	if (error == 0 && pager->in_threads)
		error = start_servers(pager);
	if (error != 0)
		stop_threads(pager);
	return error;
}

int lg_pager_add_readers(struct lg_pager *pager)
{
	uint64_t signals = lg_os_latch_enter(&pager->threads_lock);
	int error = 0;

	while (error == 0 && lg_load_relaxed(&pager->readers) < LG_THREADS_MOST) {
		error = start_threads(pager, lg_prefetch_run, 1);
		if (error == 0)
			set_readers(pager, lg_load_relaxed(&pager->readers) + 1);
	}
	lg_os_latch_leave(&pager->threads_lock, signals);
	return error;
}

/* --- making and ending -------------------------------------------------------------------------- */

static int check_budget(uint64_t bytes, uint64_t page, const char *whose)
{
	if (bytes < page * LG_PAGES_LEAST)
		return lg_fail(EINVAL, "memory of %zu bytes is less than %d pages of %zu%s",
			       (size_t)bytes, LG_PAGES_LEAST, (size_t)page, whose);
	return 0;
}

/* What is wrong with them together, or not to be known from the text. */
static int check_options(const struct lg_pager_options *options)
{
	struct lg_policy policy;
	int error = check_budget(options->memory, options->page, "");

	return error == 0 ? lg_policy_named(options->policy, &policy) : error;
}

static int open_trace(struct lg_pager *pager, const char *path, bool says)
{
	const struct lg_trace_about about = { .budget = pager->options.memory,
					      .page_bytes = pager->options.page,
					      .policy = pager->options.policy,
					      .says = says };
	struct lg_trace *trace;
	int error = lg_trace_open(path, &about, &trace);

	if (error == 0)
		lg_store_relaxed(&pager->trace, trace);
	return error;
}

/*
 * By the option, else by the environment, which `lgalloc trace record` sets: then the program knows nothing of it, and
 * works without as well.
 */
static int start_trace(struct lg_pager *pager)
{
	static _Atomic(bool) is_told;
	const char *path = pager->options.trace;

	if (path[0] != '\0')
		return open_trace(pager, path, false);
	path = secure_getenv(LG_TRACE_ENVIRONMENT);
	if (path != NULL && path[0] != '\0' && open_trace(pager, path, true) != 0 &&
	    !lg_swap_ordered(&is_told, true))
		lg_say(LG_TRACE_ENVIRONMENT ": nothing is recorded: %s", lg_error());
	return 0;
}

/*
 * What the budget may be raised to: tables and frames have addresses for it. They take no memory before they are used,
 * but where the kernel grants only what it has they count in full, and are for the budget as it is. Where it grants
 * few addresses they have no more of them than the budget needs, or than are a part.
 */
static uint64_t most_memory(const struct lg_pager *pager)
{
	uint64_t budget = pager->options.memory, most = 2 * lg_max(lg_os_memory_bytes(), budget);

	if (lg_os_overcommit_is_strict())
		return budget;
	return lg_max(lg_min(most, lg_os_writable_bytes_max() / LIMIT_PART), budget);
}

static int make(struct lg_pager *pager)
{
	int error = check_options(&pager->options);

	if (error != 0)
		return error;
	error = lg_content_start();
	if (error != 0)
		return lg_fail(-error, "the system gives no random numbers (getrandom): %s",
			       lg_error_name(-error));
	pager->process = lg_os_process();
	pager->memory_most = most_memory(pager);
	lg_store_relaxed(&pager->budget, pager->options.memory);
	error = choose_faults(pager);
	if (error != 0)
		return error;
	error = lg_residents_make(&pager->residents, pager->memory_most);
	if (error != 0) {
		error = lg_pager_refuse("the tables of a pager", error);
		goto undo_faults;
	}
	error = lg_staging_make(pager);
	if (error != 0) {
		error = lg_pager_refuse("the buffers of a pager", error);
		goto undo_residents;
	}
	error = lg_os_hangup_open(&pager->hangup);
	if (error != 0) {
		error = lg_pager_refuse("a pipe for a pager", error);
		goto undo_staging;
	}
	error = start_trace(pager);
	if (error != 0)
		goto undo_hangup;
	error = start(pager);
	if (error == 0)
		return 0;
	(void)lg_trace_close(lg_load_relaxed(&pager->trace));
undo_hangup:
	lg_os_hangup_close(&pager->hangup);
undo_staging:
	lg_staging_end(pager);
undo_residents:
	lg_residents_end(&pager->residents);
undo_faults:
	close_faults(pager);
	return error;
}

int lg_pager_make(const struct lg_pager_options *options, const char *name, struct lg_pager **pager)
{
	void *record;
	int error = lg_os_map_record(sizeof(**pager), &record);

	if (error != 0)
		return lg_pager_refuse("a pager", error);
	*pager = record;
	(*pager)->options = *options;
	pthread_mutex_init(&(*pager)->resizing, NULL);
	pthread_mutex_init(&(*pager)->next_message, NULL);
	int cancel = lg_os_cancel_hold();
	error = make(*pager);
	lg_os_cancel_restore(cancel);
	if (error != 0)
		lg_os_unreserve(record, sizeof(**pager));
	else
		lg_roster_add(*pager, name);
	return error;
}

lg_pager *lg_pager_new(const char *text)
{
	struct lg_pager_options options;
	struct lg_pager *pager;
	int error = lg_pager_options_parse(text, &options);

	if (error == 0)
		error = lg_pager_make(&options, NULL, &pager);
	if (error != 0) {
		errno = -error;
		return NULL;
	}
	lg_worker_watch();
	return pager;
}

static int end(struct lg_pager *pager)
{
	/* Under the lock: whoever left last is out of it then. */
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	uint32_t maps = lg_load_relaxed(&pager->map_count);
	lg_os_latch_leave(&pager->maps_lock, signals);
	if (maps > 0)
		return lg_fail(EBUSY, "%u map%s of the pager %s open", maps, maps > 1 ? "s" : "",
			       maps > 1 ? "are" : "is");
	lg_roster_remove(pager);
	stop_threads(pager);
	(void)lg_trace_close(lg_load_relaxed(&pager->trace));
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		struct lg_frames *frames = &pager->frames[i];

		if (!lg_frames_are_made(frames))
			continue;
		lg_os_unreserve(frames->base, (uint64_t)frames->count << frames->shift);
		lg_frames_end(frames);
	}
	lg_os_hangup_close(&pager->hangup);
	lg_staging_end(pager);
	lg_residents_end(&pager->residents);
	close_faults(pager);
	lg_os_unreserve(pager, sizeof(*pager));
	return 0;
}

int lg_pager_free(lg_pager *pager)
{
	if (pager == NULL)
		return 0;
	if (lg_pager_of_caller(pager) == NULL)
		return -ECHILD;
	int cancel = lg_os_cancel_hold(); /* it waits for threads, half ended */
	int error = end(pager);
	lg_os_cancel_restore(cancel);
	return error;
}

/* --- the default one ---------------------------------------------------------------------------- */

uint64_t lg_pager_memory_auto(void)
{
	uint64_t memory = lg_min(lg_os_memory_bytes(), lg_os_writable_bytes_max());

	return lg_max(memory / DEFAULT_PART, LG_MIB(1));
}

/* With the options of the environment; those that are wrong are told, and are as none. */
static struct lg_pager *make_default(void)
{
	const char *text = secure_getenv(LG_PAGER_ENVIRONMENT);
	struct lg_pager_options options, wished;
	struct lg_pager *pager = NULL;
	int error;

	(void)lg_pager_options_parse(NULL, &options);
	options.memory = lg_pager_memory_auto();
	wished = options;
	error = text != NULL ? lg_pager_options_change(text, &wished) : 0;
	if (error == 0)
		error = lg_pager_make(&wished, "default", &pager);
	if (error == -EINVAL && text != NULL) {
		lg_say(LG_PAGER_ENVIRONMENT ": %s", lg_error());
		error = lg_pager_make(&options, "default", &pager);
	}
	if (error == 0)
		return pager;
	errno = -error;
	return NULL;
}

struct lg_pager *lg_pager_of_caller(struct lg_pager *pager)
{
	if (pager == NULL)
		pager = lg_load_acquire(&default_pager);
	if (pager == NULL) {
		int cancel = lg_os_cancel_hold();

		pthread_mutex_lock(&default_lock);
		pager = lg_load_relaxed(&default_pager);
		if (pager == NULL) {
			pager = make_default();
			lg_store_release(&default_pager, pager);
		}
		pthread_mutex_unlock(&default_lock);
		if (pager != NULL)
			lg_worker_watch();
		lg_os_cancel_restore(cancel);
	}
	if (pager != NULL && pager->process != lg_os_process()) {
		errno = -lg_fail(ECHILD,
				 "pagers and maps do not survive fork: this one is the parent's");
		return NULL;
	}
	return pager;
}

__attribute__((constructor)) static void look_after_fork(void)
{
	(void)lg_os_fork_hooks(NULL, NULL, lg_pager_forget);
}

/*
 * The kernel left a hole here, for whatever the child maps next. Another handler of the fork may have had memory of it already:
 * round that, with a margin, so that a map takes 2000 calls and not one for each page.
 */
static void reserve_hole(char *at, size_t bytes, size_t margin)
{
	size_t half = lg_round_up(bytes / 2, lg_os_page_bytes());

	if (lg_os_reserve_at(at, bytes) != -EEXIST || bytes <= margin)
		return;
	reserve_hole(at, half, margin);
	reserve_hole(at + half, bytes - half, margin);
}

/*
 * The parent's: what is open of it is closed here, and nothing is written. Its addresses are kept from everybody, lent ones by who
 * lent them.
 */
static void forget_map(struct lg_map *map)
{
	enum { MARGIN_PART = 1024 };
	size_t bytes = map->pages << map->shift;

	if (!map->lent)
		reserve_hole(map->base, bytes, lg_max(bytes / MARGIN_PART, lg_os_page_bytes()));
	map->store->calls->forget(map->store);
}

/*
 * By its table, for the atlas has no map that is being closed, which may take as long as its store. Also the pipe: the parent's
 * threads wait until nobody can speak into it.
 */
static void forget_pager(struct lg_pager *pager)
{
	for (uint32_t i = 0; i < LG_MAPS; i++) {
		struct lg_map *map = lg_map_of(pager, i);

		if (map != NULL)
			forget_map(map);
	}
	close_faults(pager);
	lg_os_hangup_close(&pager->hangup);
	pager->process = 0; /* in a namespace of its own a child may have its parent's number */
}

void lg_pager_forget(void)
{
	lg_atlas_forget();
	lg_roster_forget(forget_pager);
	lg_range_forget();
	lg_store_relaxed(&default_pager, NULL);
	default_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	lg_policy_forget();
	lg_trace_forget();
	lg_os_bus_forget();
}

/* --- the budget, live --------------------------------------------------------------------------- */

/* Until no more is charged than this budget has room for. */
static int shrink(struct lg_pager *pager, uint64_t bytes)
{
	struct lg_budget_wait wait = { .bytes = 0 }; /* as many as are too many */
	int error = 0;

	while (error == 0) {
		uint64_t charged = lg_budget_charged(pager);
		uint64_t room = lg_budget_room(pager, bytes);

		if (charged <= room)
			return 0;
		uint64_t signals = lg_os_signals_hold(); /* it claims pages */
		wait.bytes = charged - room;
		bool gained = lg_budget_free(pager, &wait);
		lg_os_signals_release(signals);
		if (!gained)
			error = lg_budget_sleep(pager, &wait);
	}
	return error;
}

/* Under maps_lock: no map whose pages are too large for this budget comes between, and no pin. */
static int set_budget(struct lg_pager *pager, uint64_t bytes)
{
	uint64_t page = lg_pager_page_most(pager), pinned = lg_load_relaxed(&pager->pinned);
	int error = check_budget(bytes, page, ", the largest it ever had");

	if (error != 0)
		return error;
	if (bytes > pager->memory_most)
		return lg_fail(
			EINVAL,
			"a budget of %zu bytes is more than this pager was made for: its "
			"tables have addresses for %zu; a pager that is made with more has more",
			(size_t)bytes, (size_t)pager->memory_most);
	if (pinned > lg_pin_most(bytes, page))
		return lg_fail(EBUSY, "%zu bytes are pinned: of a budget of %zu only %zu may be",
			       (size_t)pinned, (size_t)bytes, (size_t)lg_pin_most(bytes, page));
	lg_budget_set(pager, bytes);
	return 0;
}

/* Under `resizing`. */
static int resize(struct lg_pager *pager, uint64_t bytes)
{
	uint64_t before = lg_load_relaxed(&pager->budget);
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	int error = set_budget(pager, bytes);

	lg_os_latch_leave(&pager->maps_lock, signals);
	if (error != 0)
		return error;
	if (bytes < before)
		error = shrink(pager, bytes);
	if (error != 0) {
		signals = lg_os_latch_enter(&pager->maps_lock);
		lg_budget_set(pager, before); /* the larger has room for who came meanwhile, too */
		lg_os_latch_leave(&pager->maps_lock, signals);
	}
	lg_policy_retarget(pager);
	return error == 0 ? 0 : lg_fail(-error, "the budget stays: %s", lg_error_name(-error));
}

int lg_pager_resize(lg_pager *pager, size_t bytes)
{
	pager = lg_pager_of_caller(pager);
	if (pager == NULL)
		return -errno;
	int cancel = lg_os_cancel_hold();
	pthread_mutex_lock(&pager->resizing);
	int error = resize(pager, bytes);
	pthread_mutex_unlock(&pager->resizing);
	lg_os_cancel_restore(cancel);
	return error;
}

/* --- statistics --------------------------------------------------------------------------------- */

static uint64_t limbo_bytes(struct lg_pager *pager)
{
	uint64_t signals = lg_pager_lock(pager);
	uint64_t bytes = lg_pager_frame_bytes(pager, LG_FRAME_CLEAN) +
			 lg_pager_frame_bytes(pager, LG_FRAME_AHEAD) +
			 lg_pager_unwritten_bytes(pager);

	lg_pager_unlock(pager, signals);
	return bytes;
}

void lg_pager_measure(struct lg_pager *pager, struct lg_pager_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->budget = lg_load_relaxed(&pager->budget);
	stats->resident = lg_budget_charged(pager);
	stats->peak = lg_load_relaxed(&pager->peak);
	stats->pinned = lg_load_relaxed(&pager->pinned);
	stats->limbo = limbo_bytes(pager);
	stats->maps = lg_load_relaxed(&pager->map_count);
	stats->map_bytes = lg_load_relaxed(&pager->map_bytes);
	stats->tables = lg_load_relaxed(&pager->map_tables);
#define LG_READ_COUNTER(name, what)                                                                \
	stats->name = lg_load_relaxed(&pager->counters[LG_PAGER_##name]);
	LG_PAGER_COUNTERS(LG_READ_COUNTER)
#undef LG_READ_COUNTER
	stats->errors = stats->read_errors + stats->write_errors;
	stats->fault_ns_sum = lg_times_read(&pager->fault_ns, stats->fault_ns);
	stats->read_ns_sum = lg_times_read(&pager->read_ns, stats->read_ns);
	stats->write_ns_sum = lg_times_read(&pager->write_ns, stats->write_ns);
}

int lg_pager_stats_read(lg_pager *pager, struct lg_pager_stats *stats)
{
	pager = lg_pager_of_caller(pager);
	if (pager == NULL)
		return -errno;
	if (stats == NULL)
		return lg_fail(EINVAL, "statistics of a pager need a place to go");
	lg_pager_measure(pager, stats);
	return 0;
}
