/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: every public call does what its header says, in any order, from several threads, for long.
 * Method: each thread holds a table of objects, made by any of the calls that make one, and applies
 * random calls to random ones; some are handed to other threads. Live options change, one thread
 * trims. LGALLOC_SOAK_SECONDS (default 20) is shared by the rounds; the seed is printed.
 * Oracle: a model of each object: bytes asked for, what was written at marks (every page of the first
 * 64 KiB, beyond it around powers of two), whether it must still be zero. Every call's answer is
 * checked against it: sizes, alignment, contents before each change, lg_region_of and lg_usable_size
 * for interior addresses, errno of refusals, errno kept by free. The books after all frees.
 */
#include "stress/account.h"
#include "stress/clock.h"
#include "stress/crew.h"
#include "stress/exchange.h"
#include "stress/random.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <fcntl.h>
#include <inttypes.h>

enum { THREADS = 4, OBJECTS = 40, SIZE_LOW = 0, SIZE_HIGH = 24 };

struct object {
	lg_region *region; /* NULL: this entry is free */
	size_t bytes;      /* marks are below this */
	uint64_t id;
	bool zero; /* not yet written since it was zeroed */
};

static struct crew crew;
static struct exchange market;
static double end;

/* --- marks: where an object of any size carries words, whatever size it had before or has later --- */

static uint64_t mark_word(uint64_t id, size_t offset)
{
	return (id ^ offset * 0x9e3779b97f4a7c15u) | 1;
}

static size_t mark_next(size_t offset)
{
	size_t power = (size_t)1 << 16;

	if (offset < power)
		return offset + STAMP_PAGE;
	while (power * 2 <= offset)
		power *= 2;
	if (offset < power + power / 2)
		return power + power / 2;
	if (offset < 2 * power - sizeof(uint64_t))
		return 2 * power - sizeof(uint64_t);
	return 2 * power;
}

static void marks_write(const struct object *object)
{
	char *data = lg_region_data(object->region);

	for (size_t at = 0; at + sizeof(uint64_t) <= object->bytes; at = mark_next(at)) {
		uint64_t word = mark_word(object->id, at);

		memcpy(data + at, &word, sizeof(word));
	}
}

static void marks_claim(const struct object *object, size_t bytes)
{
	const char *data = lg_region_data(object->region);

	for (size_t at = 0; at + sizeof(uint64_t) <= bytes; at = mark_next(at)) {
		uint64_t word;

		memcpy(&word, data + at, sizeof(word));
		if (word == mark_word(object->id, at))
			continue;
		fprintf(stderr, "%p, %zu of %zu bytes: mark at %zu is %" PRIx64 "\n",
			(const void *)data, bytes, object->bytes, at, word);
		BROKEN("what was written is still there");
	}
}

static void claim_contents(const struct object *object, size_t bytes)
{
	if (object->zero)
		CLAIM(bytes == 0 || stamp_all_zero(lg_region_data(object->region), bytes));
	else
		marks_claim(object, bytes);
}

/* --- one object's facts -------------------------------------------------------------------------- */

static void claim_shape(struct crew_member *me, const struct object *object)
{
	char *data = lg_region_data(object->region);
	size_t size = lg_region_size(object->region);
	size_t aligned = size < ((size_t)2 << 20) ? size : (size_t)2 << 20;

	CLAIM(size >= object->bytes);
	CLAIM(size >= STAMP_PAGE);
	CLAIM((size & (size - 1)) == 0);
	CLAIM(size == STAMP_PAGE || size / 2 < object->bytes || object->bytes == 0);
	CLAIM(((uintptr_t)data & (aligned - 1)) == 0);
	CLAIM(lg_region_of(data) == object->region);
	CLAIM(lg_region_of(data + size - 1) == object->region);
	CLAIM(lg_region_of(data + random_below(&me->random, size)) == object->region);
	CLAIM(lg_region_of(data + size) != object->region);
	CLAIM(lg_usable_size(data) == size);
}

static void adopt(struct crew_member *me, struct object *object, void *data, size_t bytes,
		  bool zero)
{
	CLAIM(data != NULL);
	object->region = lg_region_of(data);
	CLAIM(object->region != NULL);
	CLAIM(lg_region_data(object->region) == data);
	object->bytes = bytes;
	object->zero = zero;
	object->id = random_next(&me->random);
	claim_shape(me, object);
	if (zero)
		claim_contents(object, lg_region_size(object->region));
	else
		marks_write(object);
}

static void make(struct crew_member *me, struct object *object)
{
	size_t bytes = random_size(&me->random, SIZE_LOW, SIZE_HIGH);
	lg_region *region;

	switch (random_below(&me->random, 7)) {
	case 0:
		region = lg_region_new_zeroed(bytes);
		CLAIM(region != NULL);
		adopt(me, object, lg_region_data(region), bytes, true);
		return;
	case 1:
		adopt(me, object, lg_malloc(bytes), bytes, false);
		return;
	case 2:
		adopt(me, object, lg_calloc(1 + bytes / 24, 24), (1 + bytes / 24) * 24, true);
		return;
	case 3: {
		size_t alignment = (size_t)1 << random_below(&me->random, 22);
		void *data = lg_aligned_alloc(alignment, bytes);

		CLAIM(data != NULL);
		CLAIM(((uintptr_t)data & (alignment - 1)) == 0);
		/* An alignment beyond the size takes a larger class. */
		adopt(me, object, data, bytes > alignment ? bytes : alignment, false);
		return;
	}
	case 4:
		adopt(me, object, lg_realloc(NULL, bytes), bytes, false);
		return;
	case 5:
		region = lg_region_resize(NULL, bytes);
		CLAIM(region != NULL);
		adopt(me, object, lg_region_data(region), bytes, false);
		return;
	default:
		region = lg_region_new(bytes);
		CLAIM(region != NULL);
		adopt(me, object, lg_region_data(region), bytes, false);
		return;
	}
}

static void end_object(struct crew_member *me, struct object *object)
{
	claim_contents(object, object->bytes);
	errno = 12345;
	if (random_one_in(&me->random, 2))
		lg_region_free(object->region);
	else
		lg_free(lg_region_data(object->region));
	CLAIM(errno == 12345);
	object->region = NULL;
}

static void resize(struct crew_member *me, struct object *object)
{
	size_t bytes = random_size(&me->random, SIZE_LOW, SIZE_HIGH);
	size_t kept = bytes < object->bytes ? bytes : object->bytes;
	size_t capacity = lg_region_size(object->region);
	lg_region *was = object->region;
	lg_region *region;

	if (random_one_in(&me->random, 8)) {
		size_t bad = random_one_in(&me->random, 2) ? SIZE_MAX : 0;

		CLAIM(lg_region_resize(was, bad) == NULL);
		CLAIM(errno == (bad ? ENOMEM : EINVAL));
		claim_contents(object, object->bytes);
	}
	if (random_one_in(&me->random, 2)) {
		region = lg_region_resize(was, bytes);
		CLAIM(bytes > capacity || bytes <= capacity / 2 || region == was);
	} else {
		void *data = lg_realloc(lg_region_data(was), bytes);

		CLAIM(data != NULL);
		region = lg_region_of(data);
	}
	CLAIM(region != NULL);
	object->region = region;
	claim_contents(object, kept);
	CLAIM(lg_region_size(region) >= bytes);
	object->bytes = bytes;
	object->zero = false;
	object->id = random_next(&me->random);
	marks_write(object);
}

static void advise(struct crew_member *me, struct object *object)
{
	size_t size = lg_region_size(object->region);
	size_t offset = random_below(&me->random, size);
	size_t length = random_one_in(&me->random, 2) ? 0 :
							random_below(&me->random, size - offset);
	enum lg_advice advice = (enum lg_advice)random_below(&me->random, LG_NORMAL + 1);

	if (random_one_in(&me->random, 16)) {
		CLAIM(lg_region_advise(object->region, size + 1, 0, advice) == -EINVAL);
		CLAIM(lg_region_advise(object->region, offset, size - offset + 1, advice) ==
		      -EINVAL);
		CLAIM(lg_region_advise(object->region, 1, SIZE_MAX, advice) == -EINVAL);
		CLAIM(lg_region_advise(object->region, 0, 0, (enum lg_advice)99) == -EINVAL);
	}
	CLAIM(lg_region_advise(object->region, offset, length, advice) == 0);
	if (advice != LG_DEAD) {
		claim_contents(object, object->bytes);
		return;
	}
	/* Below the range all is as it was. */
	claim_contents(object, offset < object->bytes ? offset : object->bytes);
	object->zero = false;
	object->id = random_next(&me->random);
	marks_write(object);
}

/* --- calls about no object ----------------------------------------------------------------------- */

static void claim_refusals(void)
{
	char heap_byte;

	CLAIM(lg_region_new(0) == NULL && errno == EINVAL);
	CLAIM(*lg_error() != '\0');
	CLAIM(lg_region_new(SIZE_MAX) == NULL && errno == ENOMEM);
	CLAIM(lg_region_new_zeroed(0) == NULL && errno == EINVAL);
	CLAIM(lg_malloc(SIZE_MAX) == NULL && errno == ENOMEM);
	CLAIM(lg_calloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
	CLAIM(lg_aligned_alloc(3, 4096) == NULL && errno == EINVAL);
	CLAIM(lg_aligned_alloc(0, 4096) == NULL && errno == EINVAL);
	CLAIM(lg_region_of(NULL) == NULL);
	CLAIM(lg_region_of(&heap_byte) == NULL);
	CLAIM(lg_region_of((void *)UINTPTR_MAX) == NULL);
	CLAIM(lg_usable_size(NULL) == 0);
	CLAIM(lg_usable_size(&heap_byte) == 0);
	CLAIM(lg_stats_read(NULL) == -EINVAL);
	CLAIM(lg_configure("no_such_key:1") == -EINVAL);
	CLAIM(lg_configure("backing:file") == -EBUSY);
	lg_region_free(NULL);
	lg_free(NULL);
}

static void tend(struct crew_member *me)
{
	static const char *const settings[] = {
		"cache_bytes:0",     "cache_bytes:1M",   "cache_bytes:64M", "dirty_bytes:8M",
		"dirty_bytes:1G",    "interval:2ms",     "interval:50ms",   "second_decay:0",
		"second_decay:30ms", "retire_delay:5ms", "background:off",  "background:on",
	};
	struct lg_stats stats;
	struct lg_usage usage;
	void *zero_bytes;
	int null;

	switch (random_below(&me->random, 8)) {
	case 0:
		CLAIM(lg_stats_read(&stats) == 0);
		break;
	case 1:
		CLAIM(lg_usage_read(&usage) == 0);
		break;
	case 2:
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		CLAIM(null >= 0);
		CLAIM(lg_metrics_write(null, (enum lg_format)random_below(&me->random, 4)) == 0);
		CLAIM(lg_metrics_write(null, (enum lg_format)99) == -EINVAL);
		close(null);
		break;
	case 3:
		CLAIM(lg_trim() == 0);
		break;
	case 4:
		CLAIM(lg_configure(settings[random_below(
			      &me->random, sizeof(settings) / sizeof(*settings))]) == 0);
		break;
	case 5:
		zero_bytes = lg_malloc(0);
		CLAIM(zero_bytes != NULL);
		CLAIM(lg_realloc(zero_bytes, 0) == NULL);
		break;
	case 6:
		lg_thread_flush();
		break;
	default:
		claim_refusals();
		break;
	}
}

/* A parcel carries the region and the mark's id; size and zeroness are settled before it leaves. */
static void hand_over(struct crew_member *me, struct object *object)
{
	struct parcel parcel;

	claim_contents(object, object->bytes);
	object->bytes = lg_region_size(object->region);
	object->zero = false;
	marks_write(object);
	parcel = (struct parcel){ object->region, object->id };
	if (exchange_put(&market, random_below(&me->random, EXCHANGE_SLOTS), parcel))
		object->region = NULL;
}

static void receive(struct crew_member *me, struct object *object)
{
	struct parcel parcel;

	if (!exchange_take(&market, random_below(&me->random, EXCHANGE_SLOTS), &parcel))
		return;
	*object = (struct object){ parcel.region, lg_region_size(parcel.region), parcel.id, false };
	claim_contents(object, object->bytes);
}

static void soak(struct crew_member *me)
{
	struct object objects[OBJECTS] = { { 0 } };

	while (!clock_passed(end)) {
		struct object *object = &objects[random_below(&me->random, OBJECTS)];
		size_t what = random_below(&me->random, 100);

		if (what == 0)
			tend(me);
		else if (!object->region && what < 20)
			receive(me, object);
		else if (!object->region)
			make(me, object);
		else if (what < 40)
			end_object(me, object);
		else if (what < 60)
			resize(me, object);
		else if (what < 70)
			advise(me, object);
		else if (what < 80)
			hand_over(me, object);
		else
			claim_contents(object, object->bytes);
	}
	for (unsigned i = 0; i < OBJECTS; i++)
		if (objects[i].region)
			end_object(me, &objects[i]);
}

static void body(const struct round *round)
{
	struct parcel left;

	(void)round;
	end = clock_seconds() + clock_env_seconds("LGALLOC_SOAK_SECONDS", 20) / 2;
	crew_start(&crew, THREADS, random_seed(), soak);
	crew_join(&crew);
	for (size_t i = 0; i < EXCHANGE_SLOTS; i++)
		if (exchange_take(&market, i, &left))
			lg_region_free(left.region);
	account_claim_nothing_lost();
}

static const struct round rounds[] = {
	{ "file", "backing:file,dirty_bytes:256M" },
	{ "anon", "backing:anon,dirty_bytes:256M" },
	{ "paged", "backing:paged,paged_memory:16M,dirty_bytes:256M" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
