/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: what is put into a trace's ring is taken once, whole, in its thread's order (edges T1 and T2), or
 * counted as lost; also what a signal handler puts that interrupted a put.
 * Method: a ring of few slots, so that each is written again and again; threads put numbered records as fast
 * as they can while signals make them put others in between; one thread takes.
 * Oracle: every field follows from thread and number; numbers rise; taken + lost = put.
 */
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "pager/trace_ring.h"

#include <signal.h>

enum { THREADS = 3, KINDS = 2, SLOTS = 16 };

static struct lg_trace_ring ring;
static struct crew crew;
static _Atomic(uint64_t) put_count, refused_count;

/* A source: a thread, or the handler in it. */
static _Thread_local volatile unsigned self; /* + 1; 0: not begun */
static _Thread_local volatile uint64_t next_of_handler;

static struct lg_trace_record make(unsigned source, uint64_t number)
{
	uint64_t mix = (number + 1) * 0x9e3779b97f4a7c15u + source;

	return (struct lg_trace_record){
		.time_ns = number,
		.page = mix,
		.map = (uint32_t)(mix >> 32),
		.thread = source,
		.kind = (uint8_t)mix,
		.shift = (uint8_t)(mix >> 8),
		.check = (uint32_t)(mix >> 16),
	};
}

static void put(unsigned source, uint64_t number)
{
	struct lg_trace_record record = make(source, number);

	atomic_fetch_add_explicit(&put_count, 1, memory_order_relaxed);
	if (!lg_trace_ring_put(&ring, &record))
		atomic_fetch_add_explicit(&refused_count, 1, memory_order_relaxed);
}

static void interrupt(int signal_number)
{
	int before = errno;

	(void)signal_number;
	if (self == 0)
		return;
	put((self - 1) * KINDS + 1, next_of_handler);
	next_of_handler = next_of_handler + 1;
	CLAIM(errno == before);
}

static void put_all(struct crew_member *member)
{
	self = member->number + 1;
	for (uint64_t number = 0; !crew_stopped(member); number++)
		put(member->number * KINDS, number);
}

static uint64_t taken;
static uint64_t next_number[THREADS * KINDS];

static bool take_one(void)
{
	struct lg_trace_record record;

	if (!lg_trace_ring_take(&ring, &record))
		return false;
	CLAIM(record.thread < THREADS * KINDS);
	CLAIM(record.time_ns >= next_number[record.thread]);
	struct lg_trace_record expected = make(record.thread, record.time_ns);
	CLAIM(memcmp(&record, &expected, sizeof(record)) == 0);
	next_number[record.thread] = record.time_ns + 1;
	taken++;
	return true;
}

int main(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESTART };
	uint64_t seed = random_seed();
	double end = clock_end_of_run(2);

	CLAIM(lg_trace_ring_make(&ring, SLOTS) == 0);
	CLAIM(sigaction(SIGUSR1, &action, NULL) == 0);
	crew_start(&crew, THREADS, seed, put_all);
	for (uint64_t turn = 0; turn % 1024 != 0 || !clock_passed(end); turn++) {
		(void)take_one();
		if (turn % 256 == 0)
			CLAIM(pthread_kill(crew.members[random_below(&seed, THREADS)].thread,
					   SIGUSR1) == 0);
	}
	crew_stop(&crew);
	crew_join(&crew);
	while (take_one())
		;
	CLAIM(taken + atomic_load(&refused_count) == atomic_load(&put_count));
	CLAIM(lg_load_relaxed(&ring.lost) == atomic_load(&refused_count));
	CLAIM(taken > SLOTS);
	for (unsigned i = 0; i < THREADS; i++)
		CLAIM(next_number[i * KINDS] > 0);
	printf("%llu records, %llu lost\n", (unsigned long long)taken,
	       (unsigned long long)atomic_load(&refused_count));
	lg_trace_ring_end(&ring);
	return 0;
}
