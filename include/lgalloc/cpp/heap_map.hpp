/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Ordered pairs in a persistent heap: what std::map cannot be there while it keeps plain pointers. */
#ifndef LG_CPP_HEAP_MAP_HPP
#define LG_CPP_HEAP_MAP_HPP

#include <lgalloc/cpp/heap_allocator.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace lg
{

/*
 * A skip list (Pugh 1990): nodes in the order of their keys, each with links of one level or more; on the lowest
 * all, on the next about a quarter of them, and so on. A search goes along the highest links first: O(log n)
 * expected, as inserting and erasing, which touch no other nodes than those on the way. A balanced tree would
 * compare a little less and write to more pages.
 *
 *     using table = lg::heap_map<std::uint64_t, lg::heap_string>;
 *     auto *names = lg::heap_new<table>(heap, heap);
 *     names->try_emplace(7, "seven", lg::heap_allocator<char>(heap));
 *     for (const auto &[key, name] : *names)
 *             …
 *
 * The interface is a part of std::map's, and means the same. Keys may be looked up by whatever Less compares.
 * References and iterators stay valid until their element is erased. It can be neither copied nor moved: it lies in
 * the heap, and refs lead there. One thread at a time changes it; any number may look.
 */
template <class Key, class Value, class Less = std::less<>>
class heap_map
{
	struct node;
	using link = offset_ptr<node>;

	/* Behind it lie `height` links. */
	struct alignas(link) node {
		std::pair<const Key, Value> item;
		unsigned height;

		link *links() noexcept
		{
			return std::launder(reinterpret_cast<link *>(
				reinterpret_cast<unsigned char *>(this) + sizeof(node)));
		}
	};

	template <class Item>
	class iterator_of
	{
		friend class heap_map;
		template <class Other>
		friend class iterator_of;

	public:
		using value_type = std::pair<const Key, Value>;
		using difference_type = std::ptrdiff_t;
		using pointer = Item *;
		using reference = Item &;
		using iterator_category = std::forward_iterator_tag;

		iterator_of() noexcept = default;

		template <class Other,
			  std::enable_if_t<std::is_convertible_v<Other *, Item *>, int> = 0>
		iterator_of(const iterator_of<Other> &other) noexcept : at_(other.at_)
		{
		}

		reference operator*() const noexcept { return at_->item; }

		pointer operator->() const noexcept { return std::addressof(at_->item); }

		iterator_of &operator++() noexcept
		{
			at_ = at_->links()[0].get();
			return *this;
		}

		iterator_of operator++(int) noexcept
		{
			iterator_of before = *this;

			++*this;
			return before;
		}

		friend bool operator==(const iterator_of &one, const iterator_of &other) noexcept
		{
			return one.at_ == other.at_;
		}

		friend bool operator!=(const iterator_of &one, const iterator_of &other) noexcept
		{
			return one.at_ != other.at_;
		}

	private:
		explicit iterator_of(node *at) noexcept : at_(at) {}

		node *at_ = nullptr;
	};

public:
	using key_type = Key;
	using mapped_type = Value;
	using value_type = std::pair<const Key, Value>;
	using size_type = std::size_t;
	using iterator = iterator_of<value_type>;
	using const_iterator = iterator_of<const value_type>;

	explicit heap_map(lg_heap *heap, Less less = Less()) : allocator_(heap), less_(less) {}

	heap_map(const heap_map &) = delete;
	heap_map &operator=(const heap_map &) = delete;

	~heap_map() { clear(); }

	[[nodiscard]] bool empty() const noexcept { return size_ == 0; }

	size_type size() const noexcept { return size_; }

	iterator begin() noexcept { return iterator(head_[0].get()); }

	iterator end() noexcept { return iterator(); }

	const_iterator begin() const noexcept { return const_iterator(head_[0].get()); }

	const_iterator end() const noexcept { return const_iterator(); }

	/* The first element whose key is not less. */
	template <class Like>
	iterator lower_bound(const Like &key)
	{
		return iterator(seek(key, nullptr));
	}

	template <class Like>
	const_iterator lower_bound(const Like &key) const
	{
		return const_iterator(seek(key, nullptr));
	}

	template <class Like>
	iterator find(const Like &key)
	{
		return iterator(match(key, nullptr));
	}

	template <class Like>
	const_iterator find(const Like &key) const
	{
		return const_iterator(match(key, nullptr));
	}

	template <class Like>
	bool contains(const Like &key) const
	{
		return match(key, nullptr) != nullptr;
	}

	/* std::out_of_range where there is none. */
	template <class Like>
	Value &at(const Like &key)
	{
		node *found = match(key, nullptr);

		if (found == nullptr)
			failure::range("lg::heap_map::at");
		return found->item.second;
	}

	template <class Like>
	const Value &at(const Like &key) const
	{
		return const_cast<heap_map *>(this)->at(key);
	}

	/* A new element, its value made of the arguments, or the one that has the key, and false. */
	template <class... Arguments>
	std::pair<iterator, bool> try_emplace(const Key &key, Arguments &&...arguments)
	{
		link *before[levels_max];
		node *found = match(key, before);

		if (found != nullptr)
			return { iterator(found), false };
		return { iterator(insert(before, key, std::forward<Arguments>(arguments)...)),
			 true };
	}

	Value &operator[](const Key &key) { return try_emplace(key).first->second; }

	/* How many were erased: 0 or 1. */
	template <class Like>
	size_type erase(const Like &key)
	{
		link *before[levels_max];
		node *found = match(key, before);

		if (found == nullptr)
			return 0;
		for (unsigned level = 0; level < found->height; level++)
			*before[level] = found->links()[level];
		remove(found);
		size_--;
		return 1;
	}

	void clear() noexcept
	{
		for (node *at = head_[0].get(); at != nullptr;) {
			node *next = at->links()[0].get();

			remove(at);
			at = next;
		}
		for (link &one : head_)
			one = nullptr;
		size_ = 0;
	}

private:
	static constexpr unsigned levels_max = 16;

	static std::size_t bytes_of(unsigned height) noexcept
	{
		return sizeof(node) + height * sizeof(link);
	}

	/* The first node whose key is not less; in before[] the links that lead over its place, where that is asked. */
	template <class Like>
	node *seek(const Like &key, link **before) const
	{
		link *links = const_cast<link *>(head_);
		node *next = nullptr;

		for (unsigned level = levels_max; level-- > 0;) {
			while ((next = links[level].get()) != nullptr &&
			       less_(next->item.first, key))
				links = next->links();
			if (before != nullptr)
				before[level] = &links[level];
		}
		return next;
	}

	template <class Like>
	node *match(const Like &key, link **before) const
	{
		node *found = seek(key, before);

		return found != nullptr && !less_(key, found->item.first) ? found : nullptr;
	}

	/* xorshift64 (Marsaglia 2003). Its state lies in the heap, so that runs can be repeated. */
	unsigned draw_height() noexcept
	{
		unsigned height = 1;

		random_ ^= random_ << 13;
		random_ ^= random_ >> 7;
		random_ ^= random_ << 17;
		for (std::uint64_t bits = random_; height < levels_max && (bits & 3) == 0;
		     bits >>= 2)
			height++;
		return height;
	}

	/* Nothing has changed where the memory is refused, or the constructor of an element throws. */
	template <class... Arguments>
	node *insert(link **before, const Key &key, Arguments &&...arguments)
	{
		struct guard {
			heap_allocator<unsigned char> &allocator;
			offset_ptr<unsigned char> memory;
			std::size_t bytes;

			~guard()
			{
				if (memory)
					allocator.deallocate(memory, bytes);
			}
		};
		static_assert(alignof(node) <= 16, "objects in a heap are aligned to 16 bytes");
		unsigned height = draw_height();
		guard unmade{ allocator_, allocator_.allocate(bytes_of(height)), bytes_of(height) };
		node *made = reinterpret_cast<node *>(unmade.memory.get());

		::new (static_cast<void *>(std::addressof(made->item)))
			value_type(std::piecewise_construct, std::forward_as_tuple(key),
				   std::forward_as_tuple(std::forward<Arguments>(arguments)...));
		made->height = height;
		for (unsigned level = 0; level < height; level++) {
			::new (static_cast<void *>(made->links() + level)) link(*before[level]);
			*before[level] = made;
		}
		unmade.memory = nullptr;
		size_++;
		return made;
	}

	void remove(node *gone) noexcept
	{
		std::size_t bytes = bytes_of(gone->height);

		gone->item.~value_type();
		allocator_.deallocate(
			offset_ptr<unsigned char>(reinterpret_cast<unsigned char *>(gone)), bytes);
	}

	heap_allocator<unsigned char> allocator_;
	Less less_;
	size_type size_ = 0;
	std::uint64_t random_ = 0x9e3779b97f4a7c15;
	link head_[levels_max];
};

} // namespace lg

#endif
