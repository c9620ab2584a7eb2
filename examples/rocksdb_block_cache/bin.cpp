/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bin.h"

#include <algorithm>
#include <cstdint>
#include <new>

struct slab {
	bin *owner;
	lg_region *region;
	slab *next, *previous; /* of those with room */
	char *slots;
	uint32_t count;
	uint32_t cut;  /* slots handed out at least once: the others were never touched */
	uint32_t free; /* on the stack */

	/* Behind it, with room for all slots. */
	uint16_t *stack() { return reinterpret_cast<uint16_t *>(this + 1); }

	uint32_t used() const { return cut - free; }
};

namespace
{
slab *slab_in(lg_region *region)
{
	return static_cast<slab *>(lg_region_data(region));
}
} // namespace

void bin::set_slot_bytes(size_t bytes)
{
	slot_bytes_ = bytes;
}

void bin::enter(slab *slab)
{
	slab->previous = nullptr;
	slab->next = with_room_;
	if (slab->next != nullptr)
		slab->next->previous = slab;
	with_room_ = slab;
}

void bin::leave(slab *slab)
{
	if (slab->previous != nullptr)
		slab->previous->next = slab->next;
	else
		with_room_ = slab->next;
	if (slab->next != nullptr)
		slab->next->previous = slab->previous;
}

slab *bin::make_slab()
{
	lg_region *region = lg_region_new(slab_bytes);

	if (region == nullptr)
		return nullptr;
	size_t count = (slab_bytes - sizeof(slab)) / (slot_bytes_ + sizeof(uint16_t));
	size_t head_bytes = sizeof(slab) + count * sizeof(uint16_t);
	/* Slots are multiples of 64 bytes, and so begin at such. */
	head_bytes = (head_bytes + 63) / 64 * 64;
	count = std::min(count, (slab_bytes - head_bytes) / slot_bytes_);
	slab *made = new (lg_region_data(region)) slab;
	made->owner = this;
	made->region = region;
	made->slots = static_cast<char *>(lg_region_data(region)) + head_bytes;
	made->count = static_cast<uint32_t>(count);
	made->cut = made->free = 0;
	enter(made);
	return made;
}

void *bin::take()
{
	std::lock_guard<std::mutex> lock(mutex_);
	slab *slab = with_room_ != nullptr ? with_room_ : make_slab();

	if (slab == nullptr)
		return nullptr;
	uint32_t slot = slab->free > 0 ? slab->stack()[--slab->free] : slab->cut++;
	if (slab->used() == slab->count)
		leave(slab);
	return slab->slots + slot * slot_bytes_;
}

bin *bin::of(lg_region *region)
{
	return slab_in(region)->owner;
}

void bin::put(lg_region *region, void *address)
{
	std::lock_guard<std::mutex> lock(mutex_);
	slab *slab = slab_in(region);
	size_t offset = static_cast<size_t>(static_cast<char *>(address) - slab->slots);

	if (slab->used() == slab->count)
		enter(slab);
	slab->stack()[slab->free++] = static_cast<uint16_t>(offset / slot_bytes_);
	if (slab->used() > 0)
		return;
	leave(slab);
	lg_region_free(region);
}

void bin::trim()
{
	std::lock_guard<std::mutex> lock(mutex_);

	for (slab *slab = with_room_; slab != nullptr; slab = slab->next) {
		const uint16_t *stack = slab->stack();

		std::sort(slab->stack(), slab->stack() + slab->free);
		for (uint32_t first = 0, last; first < slab->free; first = last) {
			last = first + 1;
			while (last < slab->free && stack[last] == stack[last - 1] + 1)
				last++;
			size_t from = static_cast<size_t>(
					      slab->slots -
					      static_cast<char *>(lg_region_data(slab->region))) +
				      stack[first] * slot_bytes_;
			/* A refusal leaves the memory where it is, which is no error. */
			lg_region_advise(slab->region, from, (last - first) * slot_bytes_, LG_DEAD);
		}
	}
}
