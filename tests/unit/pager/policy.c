/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The policies there are, those of the user's own, and what all of them have in common. */
#include "unit/pager/model.h"

#include <errno.h>
#include <inttypes.h>

static const struct lg_policy_ops *find(const char *name)
{
	struct lg_policy policy;

	return lg_policy_find(name, strlen(name), &policy) ? policy.ops : NULL;
}

static void built_in_ones_are_found_by_their_names(void **state)
{
	char names[256];
	struct lg_policy policy;

	(void)state;
#define EXPECT(name) assert_ptr_equal(find(#name), &lg_policy_##name);
	LG_POLICIES(EXPECT)
#undef EXPECT
	assert_null(find(""));
	assert_null(find("cloc"));
	assert_null(find("clocks"));
	assert_true(lg_policy_find("clock,page:4K", 5, &policy));
	assert_true(lg_policy_at(0, &policy));
	assert_string_equal(policy.ops->name, "clock");
	lg_policy_names(names, sizeof(names));
	assert_string_equal(names, "clock, s3fifo, fifo, lifo, plru, prnd, wiro_f, wiro_l");
	lg_policy_names(names, 17);
	assert_string_equal(names, "clock, s3fifo");
	lg_policy_names(names, 1);
	assert_string_equal(names, "");
}

static void registration_refuses_what_cannot_work(void **state)
{
	struct lg_policy_ops ops = lg_policy_fifo;
	int refused = 0;

	(void)state;
	assert_int_equal(lg_policy_register(NULL, NULL), -EINVAL);
	assert_int_equal(lg_policy_register(&ops, NULL), -EEXIST);
	assert_string_equal(lg_error(), "there is a policy 'fifo' already");
#define REFUSED(field, value)                                                                      \
	ops = lg_policy_fifo;                                                                      \
	ops.name = "mine";                                                                         \
	ops.field = (value);                                                                       \
	assert_int_equal(lg_policy_register(&ops, NULL), -EINVAL);                                 \
	refused++;
	REFUSED(size, sizeof(ops) - 1)
	REFUSED(name, NULL)
	REFUSED(name, "")
	REFUSED(name, "a:b")
	REFUSED(name, "a,b")
	REFUSED(name, "0123456789012345678901234567890x")
	REFUSED(create, NULL)
	REFUSED(destroy, NULL)
	REFUSED(fill, NULL)
	REFUSED(touch, NULL)
	REFUSED(victim, NULL)
	REFUSED(put_back, NULL)
	REFUSED(remove, NULL)
#undef REFUSED
	assert_int_equal(refused, 13);
	assert_null(find("mine"));
}

/* The last test that registers: afterwards there is no more room. */
static void sixteen_of_the_users_own_are_found_with_their_arguments(void **state)
{
	static struct lg_policy_ops own[LG_POLICY_USERS + 1];
	static char names[LG_POLICY_USERS + 1][LG_POLICY_NAME_BYTES];
	struct lg_policy policy;

	(void)state;
	for (unsigned i = 0; i <= LG_POLICY_USERS; i++) {
		own[i] = lg_policy_lifo;
		own[i].name = names[i];
		snprintf(names[i], sizeof(names[i]), "own%u", i);
		assert_int_equal(lg_policy_register(&own[i], &own[i]),
				 i < LG_POLICY_USERS ? 0 : -ENOSPC);
	}
	assert_int_equal(lg_policy_register(&own[3], NULL), -EEXIST);
	for (unsigned i = 0; i < LG_POLICY_USERS; i++) {
		assert_true(lg_policy_find(names[i], strlen(names[i]), &policy));
		assert_ptr_equal(policy.ops, &own[i]);
		assert_ptr_equal(policy.argument, &own[i]);
	}
	assert_false(lg_policy_find("own16", 5, &policy));
}

/* Without the program's own pages, of which others bring in more or fewer at a time. */
static uint64_t anonymous_kib(void)
{
	FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	uint64_t kib = 0;

	assert_non_null(rollup);
	while (kib == 0 && fgets(line, sizeof(line), rollup) != NULL)
		(void)sscanf(line, "Anonymous: %" SCNu64, &kib);
	fclose(rollup);
	return kib;
}

/* Of tables for 2^28 pages, the process takes what 1000 pages and their ghosts use. */
static void memory_is_taken_as_handles_are_used(void **state)
{
	enum { PAGES = 1000 };

	(void)state;
	for (unsigned place = 0; place < 8; place++) {
		struct lg_policy policy;

		assert_true(lg_policy_at(place, &policy));
		uint64_t before = anonymous_kib();
		void *made = policy.ops->create((uint32_t)1 << 28, PAGES, policy.argument);
		assert_non_null(made);
		for (uint32_t handle = 0; handle < PAGES; handle++)
			policy.ops->fill(made, handle, handle, LG_REFERENCE_READ);
		for (uint64_t key = PAGES; key < 20 * PAGES; key++) {
			uint32_t handle = policy.ops->victim(made);

			assert_in_range(handle, 0, PAGES - 1);
			policy.ops->fill(made, handle, key * 7919, LG_REFERENCE_WRITE);
		}
		assert_in_range(anonymous_kib() - before, 0, 256);
		policy.ops->destroy(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_ones_are_found_by_their_names),
		cmocka_unit_test(registration_refuses_what_cannot_work),
		cmocka_unit_test(memory_is_taken_as_handles_are_used),
		cmocka_unit_test(sixteen_of_the_users_own_are_found_with_their_arguments),
	};

	return UNIT_RUN(tests);
}
