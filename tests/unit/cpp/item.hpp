/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An element that tells on its container: it owns memory, so one that is lost, made twice or destroyed twice
 * shows under a sanitizer and in `live`; and making the Nth fails on request.
 */
#ifndef UNIT_CPP_ITEM_HPP
#define UNIT_CPP_ITEM_HPP

#include <lgalloc/cpp/relocate.hpp>

#include <memory>
#include <type_traits>
#include <utility>

struct refused {
};

class item
{
public:
	static inline long live = 0;
	static inline long until_refused = -1; /* so many more are made; negative: all */

	item() : item(0) {}

	item(unsigned value) : value_(make(value)) {}

	item(const item &other) : item(*other.value_) {}

	item(item &&other) : item(*other.value_) {} /* a move that may fail */

	item &operator=(const item &other)
	{
		*value_ = *other.value_;
		return *this;
	}

	~item()
	{
		live--;
		delete value_;
	}

	operator unsigned() const { return *value_; }

	friend bool operator==(const item &one, const item &other)
	{
		return *one.value_ == *other.value_;
	}

	friend bool operator<(const item &one, const item &other)
	{
		return *one.value_ < *other.value_;
	}

private:
	static unsigned *make(unsigned value)
	{
		if (until_refused == 0)
			throw refused();
		if (until_refused > 0)
			until_refused--;
		auto *made = new unsigned(value);
		live++;
		return made;
	}

	unsigned *value_;
};

template <>
struct lg::is_trivially_relocatable<item> : std::true_type {
};

#endif
