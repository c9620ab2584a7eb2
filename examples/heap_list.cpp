/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The list of heap_list.c in C++, and the standard's containers beside it: heap_list_cpp FILE. Nodes point to each other by
 * lg::offset_ptr; a vector of strings and an ordered map lie in the same heap.
 */
#include <lgalloc/lgalloc.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <string>

struct node {
	int value;
	lg::offset_ptr<node> next;
};

struct everything {
	explicit everything(lg_heap *heap) : log(lg::heap_allocator<char>(heap)), squares(heap) {}

	lg::offset_ptr<node> first, last;
	lg::heap_vector<lg::heap_string> log;
	lg::heap_map<int, std::int64_t> squares;
};

static void append(lg_heap *heap, everything &all, int value)
{
	node *added = lg::heap_new<node>(heap, node{ value, nullptr });

	(all.last ? all.last->next : all.first) = added;
	all.last = added;
	all.log.emplace_back(("appended " + std::to_string(value)).c_str(),
			     lg::heap_allocator<char>(heap));
	all.squares.try_emplace(value, std::int64_t{ value } * value);
}

static everything *find_or_make(lg_heap *heap)
{
	auto *all = static_cast<everything *>(lg_heap_at(heap, lg_heap_root_get(heap, "all")));

	if (all != nullptr)
		return all;
	all = lg::heap_new<everything>(heap, heap);
	if (lg_heap_root_set(heap, "all", lg_heap_ref(heap, all)) != 0)
		throw std::bad_alloc();
	for (int value = 0; value < 8; value++)
		append(heap, *all, value);
	return all;
}

static void run(lg_heap *heap)
{
	everything *all = find_or_make(heap);
	int next = 0;

	for (lg::offset_ptr<node> at = all->first; at; at = at->next)
		next = at->value + 1;
	append(heap, *all, next);
	for (lg::offset_ptr<node> at = all->first; at; at = at->next)
		std::printf("%d\n", at->value);
	std::printf("%s; %zu squares, the last is %lld\n", all->log.back().c_str(),
		    all->squares.size(), static_cast<long long>(all->squares.at(next)));
	if (lg_heap_commit(heap) != 0)
		throw std::bad_alloc();
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	std::unique_ptr<lg_heap, int (*)(lg_heap *)> heap(lg_heap_open(argv[1], "create:on"),
							  lg_heap_close);
	try {
		if (heap == nullptr)
			throw std::bad_alloc();
		run(heap.get());
	} catch (const std::bad_alloc &) {
		std::fprintf(stderr, "heap_list: %s\n", lg_error());
		return 1;
	}
	return 0;
}
