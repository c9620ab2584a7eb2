/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/courier.h"

#include "base/bits.h"
#include "os/clock.h"
#include "os/thread.h"
#include "remote/attempt.h"
#include "remote/sockets.h"
#include "remote/tally.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FLIGHTS = 16,
	FLIGHTS_AHEAD = 12,
	HEDGES = 4, /* beside those */
	HEDGE_MS = 2000,
	STALL_MS = 10000, /* nothing came for so long */
	TRIES = 5,
	PAUSE_MS = 100,
	PAUSE_MOST_MS = 5000,
	AHEAD_PART = 4,  /* of the deadline: who then asks in earnest has the rest */
	FORK_WAIT_S = 1, /* for a start */
};

/* Above all ranks of those somebody waits for. */
#define RANK_AHEAD ((uint64_t)1 << 63)

static pthread_rwlock_t start_lock = PTHREAD_RWLOCK_INITIALIZER; /* forks share it */

static struct {
	CURLM *multi; /* NULL: not started in this process */
	struct lg_os_latch latch;
	struct lg_fetch *posted; /* under the latch; the last first */

	struct lg_fetch *fetches; /* all below: the thread's. In the order they came */
	struct lg_attempt *attempts;
	struct lg_attempt *idle;
	unsigned flights;
	unsigned flights_ahead;
	uint64_t random;
	uint64_t launched; /* attempts, so far */
	struct lg_sockets sockets;
} courier;

/* --- attempts ----------------------------------------------------------------------------------- */

static struct lg_attempt *take_idle(void)
{
	struct lg_attempt *attempt = courier.idle;

	if (attempt != NULL) {
		courier.idle = attempt->next;
		return attempt;
	}
	attempt = calloc(1, sizeof(*attempt));
	if (attempt != NULL && (attempt->easy = lg_curl.curl_easy_init_()) == NULL) {
		free(attempt);
		attempt = NULL;
	}
	return attempt;
}

static void put_idle(struct lg_attempt *attempt)
{
	attempt->next = courier.idle;
	courier.idle = attempt;
}

static void count_flight(const struct lg_attempt *attempt, int by)
{
	courier.flights += (unsigned)by;
	if (attempt->ahead)
		courier.flights_ahead += (unsigned)by;
}

static int launch(struct lg_fetch *fetch, unsigned place)
{
	struct lg_attempt *attempt = take_idle();
	int error;

	if (attempt == NULL)
		return lg_object_fail(fetch->object, ENOMEM, "no memory for a request");
	error = lg_attempt_start(attempt, fetch, place > 0);
	if (error == 0 && lg_curl.curl_multi_add_handle_(courier.multi, attempt->easy) != CURLM_OK)
		error = lg_object_fail(fetch->object, ENOMEM, "no memory for a request");
	if (error != 0) {
		lg_curl.curl_slist_free_all_(attempt->lines);
		attempt->lines = NULL;
		put_idle(attempt);
		return error;
	}
	attempt->rank = ++courier.launched | (fetch->ahead ? RANK_AHEAD : 0);
	fetch->attempts[place] = attempt;
	attempt->next = courier.attempts;
	courier.attempts = attempt;
	count_flight(attempt, 1);
	lg_remote_count(gets, 1);
	lg_remote_count(hedges, place > 0);
	return 0;
}

/* Out of the list, which `link` is of. */
static void retire(struct lg_attempt **link)
{
	struct lg_attempt *attempt = *link;

	*link = attempt->next;
	(void)lg_curl.curl_multi_remove_handle_(courier.multi, attempt->easy);
	lg_curl.curl_slist_free_all_(attempt->lines);
	attempt->lines = NULL;
	count_flight(attempt, -1);
	put_idle(attempt);
}

/* NULL: it is none's that flies. */
static struct lg_attempt *attempt_of(const CURL *easy)
{
	struct lg_attempt *attempt = courier.attempts;

	while (attempt != NULL && attempt->easy != easy)
		attempt = attempt->next;
	return attempt;
}

static bool has_attempt(const struct lg_fetch *fetch)
{
	for (unsigned i = 0; i < LG_FETCH_ATTEMPTS; i++)
		if (fetch->attempts[i] != NULL)
			return true;
	return false;
}

/* --- what comes of them ------------------------------------------------------------------------- */

static uint64_t draw(uint64_t below)
{
	courier.random ^= courier.random << 13;
	courier.random ^= courier.random >> 7;
	courier.random ^= courier.random << 17;
	return courier.random % below;
}

/* Anew, after a while that is at least what the server asked for; or not any more. */
static void retry(struct lg_fetch *fetch, int error, uint64_t wait_ms)
{
	uint64_t now = lg_os_now_ms();
	uint64_t most = lg_min((uint64_t)PAUSE_MS << fetch->tries, PAUSE_MOST_MS);
	uint64_t pause = lg_max(draw(most) + 1, wait_ms);

	if (++fetch->tries >= TRIES || now + pause >= fetch->deadline_ms) {
		lg_fetch_finish(fetch, error);
		return;
	}
	fetch->resume_ms = now + pause;
	lg_remote_count(retries, 1);
}

/* It ends; and if its object changed, all of the object's that rely on the version. */
static void fail(struct lg_fetch *fetch, int error)
{
	const struct lg_object *object = fetch->object;

	lg_fetch_finish(fetch, error);
	if (!lg_object_lose_version(fetch->object, error))
		return;
	for (struct lg_fetch *other = courier.fetches; other != NULL; other = other->next)
		if (other->object == object)
			lg_fetch_finish(other, error);
}

static void settle(struct lg_fetch *fetch, enum lg_outcome outcome, int error, uint64_t wait_ms)
{
	if (outcome == LG_OUTCOME_FAIL)
		fail(fetch, error);
	else if (outcome == LG_OUTCOME_RETRY && !has_attempt(fetch))
		retry(fetch, error, wait_ms);
}

/* curl is done with it. */
static void land(struct lg_attempt *attempt, CURLcode code)
{
	struct lg_fetch *fetch = attempt->fetch;
	int error = 0;

	if (fetch != NULL && fetch->received > attempt->from)
		fetch->tries = 0;
	enum lg_outcome outcome = lg_attempt_end(attempt, code, &error);
	uint64_t wait_ms = attempt->wait_ms;
	lg_attempt_lose(attempt);
	if (fetch != NULL)
		settle(fetch, outcome, error, wait_ms);
}

static bool land_all(void)
{
	const CURLMsg *message;
	bool some = false;
	int left;

	while ((message = lg_curl.curl_multi_info_read_(courier.multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct lg_attempt *attempt = attempt_of(message->easy_handle);

		if (message->msg == CURLMSG_DONE && attempt != NULL)
			land(attempt, code);
		some = true;
	}
	return some;
}

/* --- what is to be done now --------------------------------------------------------------------- */

static void note_wake(uint64_t *wake, uint64_t at)
{
	*wake = lg_min(*wake, at);
}

/* Attempts that are lost, or from which nothing comes. */
static void sweep(uint64_t now, uint64_t *wake)
{
	for (struct lg_attempt **link = &courier.attempts; *link != NULL;) {
		struct lg_attempt *attempt = *link;
		struct lg_fetch *fetch = attempt->fetch;

		if (!attempt->is_lost && now < attempt->progress_ms + STALL_MS) {
			note_wake(wake, attempt->progress_ms + STALL_MS);
			link = &attempt->next;
			continue;
		}
		if (!attempt->is_lost && fetch != NULL) {
			int error = lg_object_fail(fetch->object, ETIMEDOUT,
						   "nothing came from the server for %d s",
						   STALL_MS / 1000);

			if (fetch->received > attempt->from)
				fetch->tries = 0;
			lg_attempt_lose(attempt);
			settle(fetch, LG_OUTCOME_RETRY, error, 0);
		}
		retire(link);
		note_wake(wake, now); /* its fetch, and its place in flight, are looked at anew */
	}
}

static bool wants_hedge(const struct lg_fetch *fetch)
{
	const struct lg_attempt *first = fetch->attempts[0];

	return first != NULL && fetch->attempts[1] == NULL && first->answer.status == 0;
}

static void step(struct lg_fetch *fetch, uint64_t now, uint64_t *wake)
{
	bool has_room = fetch->ahead ?
				courier.flights < FLIGHTS && courier.flights_ahead < FLIGHTS_AHEAD :
				courier.flights < FLIGHTS;
	int error = 0;

	if (now >= fetch->deadline_ms) {
		lg_fetch_finish(fetch, lg_object_fail(fetch->object, ETIMEDOUT,
						      "it was not read within its deadline"));
		note_wake(wake, now);
		return;
	}
	if (!fetch->opening && !fetch->object->is_known) {
		lg_fetch_finish(fetch, -ESTALE); /* the words are those of who found out */
		note_wake(wake, now);
		return;
	}
	note_wake(wake, fetch->deadline_ms);
	if (!has_attempt(fetch) && now < fetch->resume_ms) {
		note_wake(wake, fetch->resume_ms);
	} else if (!has_attempt(fetch) && has_room) {
		error = launch(fetch, 0);
		note_wake(wake, now + HEDGE_MS);
	} else if (wants_hedge(fetch)) {
		uint64_t at = fetch->attempts[0]->started_ms + HEDGE_MS;

		if (now < at)
			note_wake(wake, at);
		else if (courier.flights < FLIGHTS + HEDGES)
			error = launch(fetch, 1);
	}
	if (error != 0) {
		lg_fetch_finish(fetch, error);
		note_wake(wake, now);
	}
}

static void drop(struct lg_fetch *fetch)
{
	for (unsigned i = 0; i < LG_FETCH_ATTEMPTS; i++)
		if (fetch->attempts[i] != NULL)
			lg_attempt_lose(fetch->attempts[i]);
	if (fetch->sink != NULL)
		fetch->landed(fetch);
	lg_fetch_let_go(fetch);
}

/* Those somebody waits for first. */
static void step_all(bool ahead, uint64_t now, uint64_t *wake)
{
	for (struct lg_fetch **link = &courier.fetches; *link != NULL;) {
		struct lg_fetch *fetch = *link;

		if (lg_load_acquire(&fetch->done) != 0) {
			*link = fetch->next;
			drop(fetch);
			continue;
		}
		if (fetch->ahead == ahead)
			step(fetch, now, wake);
		link = &fetch->next;
	}
}

/* Behind the others, in the order they were posted. */
static void take_posted(uint64_t now)
{
	struct lg_fetch **end = &courier.fetches, *first = NULL;

	lg_os_latch_take(&courier.latch);
	struct lg_fetch *posted = courier.posted;
	courier.posted = NULL;
	lg_os_latch_release(&courier.latch);
	while (posted != NULL) {
		struct lg_fetch *next = posted->next;
		uint64_t deadline = posted->object->options.deadline;

		posted->deadline_ms = now + (posted->ahead ? deadline / AHEAD_PART : deadline);
		posted->next = first;
		first = posted;
		posted = next;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = first;
}

/* One that is nobody's any more has its turn at once: it is over soon. */
static uint64_t rank_of(CURL *easy)
{
	const struct lg_attempt *attempt = attempt_of(easy);

	return attempt != NULL && attempt->fetch != NULL ? attempt->rank : 0;
}

static void *run(void *argument)
{
	(void)argument;
	lg_os_thread_name("lgalloc-net");
	lg_os_signals_never();
	for (;;) {
		uint64_t now = lg_os_now_ms(), wake = now + INT_MAX;

		take_posted(now);
		step_all(false, now, &wake);
		step_all(true, now, &wake);
		sweep(now, &wake);
		bool turned = lg_sockets_turn(&courier.sockets, courier.multi, now, rank_of);
		if (land_all() || turned)
			continue;
		now = lg_os_now_ms();
		(void)lg_curl.curl_multi_poll_(courier.multi, NULL, 0,
					       wake > now ? (int)(wake - now) : 0, NULL);
	}
	return NULL;
}

/* --- from other threads ------------------------------------------------------------------------- */

/*
 * A child that is forked while libcurl is being loaded has the loader's locks taken for good: it never could load it. So a fork
 * waits for a start. Not for ever: the start may need what the fork has, which are the locks of a malloc whose handlers were registered after
 * ours (a preloaded library is initialised last), and before glibc 2.36 the lock of the list of handlers, for libcurl's libraries register
 * theirs. Then the child is told so by its first URL. Registered at load, for a fork that is under way has no handlers that come later;
 * and it runs after those of the program, which may map URLs under locks that these take.
 */
static int fork_hooks_error;
static bool torn; /* a child of a fork that did not wait for the end of a start, or of such a child */
static _Thread_local bool held
	__attribute__((tls_model("initial-exec"))); /* by the thread that forks */

static void before_fork(void)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += FORK_WAIT_S;
	held = pthread_rwlock_timedrdlock(&start_lock, &limit) == 0;
}

static void after_fork(void)
{
	if (held)
		pthread_rwlock_unlock(&start_lock);
}

/* In a child of fork: the parent's thread and connections are not ours. */
static void forget(void)
{
	memset(&courier, 0, sizeof(courier));
	lg_remote_tally_forget();
	torn = torn || !held;
	start_lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
}

__attribute__((constructor)) static void register_fork_hooks(void)
{
	fork_hooks_error = lg_os_fork_hooks(before_fork, after_fork, forget);
}

static int start(void)
{
	int error;

	if (fork_hooks_error != 0)
		return lg_fail(-fork_hooks_error, "a hook for fork: %s",
			       lg_error_name(-fork_hooks_error));
	if (torn)
		return lg_fail(ECHILD, "this process was forked while its parent loaded libcurl, "
				       "and cannot load it any more");
	error = lg_curl_load();
	if (error != 0)
		return error;
	CURLM *multi = lg_curl.curl_multi_init_();
	if (multi == NULL)
		return lg_fail(ENOMEM, "no memory for libcurl");
	(void)lg_curl.curl_multi_setopt_(multi, CURLMOPT_MAXCONNECTS, (long)(FLIGHTS + HEDGES));
	lg_sockets_start(&courier.sockets, multi);
	courier.random = lg_os_now_ns() | 1;
	courier.multi = multi;
	error = lg_os_thread_start(run, NULL, NULL);
	if (error == 0)
		return 0;
	courier.multi = NULL;
	(void)lg_curl.curl_multi_cleanup_(multi);
	return lg_fail(-error, "the thread for the network: %s", lg_error_name(-error));
}

int lg_courier_start(void)
{
	pthread_rwlock_wrlock(&start_lock);
	int error = courier.multi != NULL ? 0 : start();
	pthread_rwlock_unlock(&start_lock);
	return error;
}

void lg_courier_post(struct lg_fetch *fetch)
{
	uint64_t signals = lg_os_latch_hold(&courier.latch);

	fetch->next = courier.posted;
	courier.posted = fetch;
	lg_os_latch_let_go(&courier.latch, signals);
	lg_courier_look();
}

/* curl writes to a socket, where a thread could be cancelled: with a page's BUSY in hand. */
void lg_courier_look(void)
{
	int cancel = lg_os_cancel_hold();

	(void)lg_curl.curl_multi_wakeup_(courier.multi);
	lg_os_cancel_restore(cancel);
}
