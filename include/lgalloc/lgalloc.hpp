/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * lgalloc for C++17: the regions of lgalloc.h under the standard containers, a container that grows
 * without copying its pages, and containers in the persistent heaps of heap.h. Header only; link with the C
 * library as ever.
 *
 *     lg::allocator<T>      for any container: large blocks are regions           cpp/allocator.hpp
 *     lg::memory_resource   the same for std::pmr; lg::region_resource() is one   cpp/memory_resource.hpp
 *     lg::region            a region with an owner: moves, resizes, goes          cpp/region.hpp
 *     lg::span<T>           what lg::region::as<T>() gives                        cpp/span.hpp
 *     lg::vector_buffer<T>  a vector that grows by lg_region_resize               cpp/vector_buffer.hpp
 *     lg::offset_ptr<T>     a pointer in a persistent heap, right at any address  cpp/offset_ptr.hpp
 *     lg::heap_allocator<T> containers in such a heap                             cpp/heap_allocator.hpp
 *     lg::heap_map<K, V>    ordered pairs there                                   cpp/heap_map.hpp
 *
 * Know this first
 *   - A region is a page at least and a power of two. Requests below lg::region_bytes_min, 64 KiB, go to
 *     ::operator new, and these bytes are in no backing: cpp/block.hpp says why. So the nodes of a list,
 *     map or unordered_map and the blocks of a deque gain nothing from lg::allocator; a
 *     std::pmr::monotonic_buffer_resource upon lg::region_resource() puts them into regions.
 *   - A std::vector cannot grow without copying. Its allocator has no call that enlarges a block: the
 *     container allocates another, constructs every element there from the old one, and gives the old block
 *     back, whatever the allocator could have done. To avoid it call reserve() first with all there may ever
 *     be, since pages of a region that are not touched take no memory; or use lg::vector_buffer, which moves
 *     the pages with backing:anon.
 *   - A std::vector of n elements is written from end to end by its constructor. lg::region::zeroed and
 *     lg::vector_buffer of numbers begin as zero without being touched.
 *   - All lgalloc.h says of fork, disk space and misuse holds for the memory of all of these.
 *
 * Errors are std::bad_alloc, std::bad_array_new_length, std::length_error and std::out_of_range, where the
 * standard containers throw them. Where memory was refused errno is that of lg_region_new, and lg_error()
 * has the reason in words: read both in the handler. With -fno-exceptions the words go to standard error,
 * and abort() follows.
 *
 * Threads: as the standard library's. What lg::allocator and lg::memory_resource gave may be freed by any
 * thread; one object of the other types is used by one thread at a time.
 */
#ifndef LG_LGALLOC_HPP
#define LG_LGALLOC_HPP

#include <lgalloc/cpp/allocator.hpp>
#include <lgalloc/cpp/heap_allocator.hpp>
#include <lgalloc/cpp/heap_map.hpp>
#include <lgalloc/cpp/offset_ptr.hpp>
#include <lgalloc/cpp/region.hpp>
#include <lgalloc/cpp/vector_buffer.hpp>
#include <lgalloc/lgalloc.h>

/* libc++ has this header from LLVM 16 on. */
#if __has_include(<memory_resource>)
#include <lgalloc/cpp/memory_resource.hpp>
#endif

#endif
