/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/stack.h"

#include "unit/unit.h"

enum { NODES = 1000 };

static struct lg_stack stack;
static struct lg_node nodes[NODES];

static int empty_stack(void **state)
{
	(void)state;
	memset(&stack, 0xff, sizeof(stack));
	lg_stack_init(&stack);
	return 0;
}

static void new_stack_is_empty(void **state)
{
	(void)state;
	assert_true(lg_stack_is_empty(&stack));
	assert_null(lg_stack_pop(&stack));
	assert_true(lg_stack_is_empty(&stack));
}

static void last_pushed_is_first_popped(void **state)
{
	(void)state;
	for (int i = 0; i < NODES; i++) {
		lg_stack_push(&stack, &nodes[i]);
		assert_false(lg_stack_is_empty(&stack));
	}
	for (int i = NODES; i-- > 0;)
		assert_ptr_equal(lg_stack_pop(&stack), &nodes[i]);
	assert_null(lg_stack_pop(&stack));
	assert_true(lg_stack_is_empty(&stack));
}

static void popped_node_can_be_pushed_again(void **state)
{
	(void)state;
	for (int i = 0; i < NODES; i++) {
		lg_stack_push(&stack, &nodes[0]);
		lg_stack_push(&stack, &nodes[1]);
		assert_ptr_equal(lg_stack_pop(&stack), &nodes[1]);
		assert_ptr_equal(lg_stack_pop(&stack), &nodes[0]);
	}
	assert_null(lg_stack_pop(&stack));
}

static void nodes_move_between_stacks(void **state)
{
	struct lg_stack other;

	(void)state;
	lg_stack_init(&other);
	for (int i = 0; i < NODES; i++)
		lg_stack_push(&stack, &nodes[i]);
	for (struct lg_node *node; (node = lg_stack_pop(&stack)) != NULL;)
		lg_stack_push(&other, node);
	for (int i = 0; i < NODES; i++)
		assert_ptr_equal(lg_stack_pop(&other), &nodes[i]);
	assert_true(lg_stack_is_empty(&stack));
	assert_true(lg_stack_is_empty(&other));
}

/* Without that a pop that was overtaken would take what it read long ago. */
static void each_pop_advances_the_generation(void **state)
{
	void *before[2];

	(void)state;
	lg_stack_push(&stack, &nodes[0]);
	for (int i = 0; i < NODES; i++) {
		memcpy(before, stack.words, sizeof(before));
		assert_ptr_equal(lg_stack_pop(&stack), &nodes[0]);
		lg_stack_push(&stack, &nodes[0]);
		assert_true(memcmp(before, stack.words, sizeof(before)) != 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty_stack)
	const struct CMUnitTest tests[] = {
		TEST(new_stack_is_empty),
		TEST(last_pushed_is_first_popped),
		TEST(popped_node_can_be_pushed_again),
		TEST(nodes_move_between_stacks),
		TEST(each_pop_advances_the_generation),
	};

	return UNIT_RUN(tests);
}
