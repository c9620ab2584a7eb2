/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A heap for C++ tests, that can be closed and opened again at an address it never had. */
#ifndef UNIT_CPP_HEAP_HPP
#define UNIT_CPP_HEAP_HPP

#include "unit/cpp/claim.hpp"

#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

class heap_file
{
public:
	explicit heap_file(const char *name)
		: path_("lg-unit-cpp-" + std::string(name) + "-" + std::to_string(getpid()) +
			".heap")
	{
		unlink(path_.c_str());
		open("create:on,reserve:1G,journal:1M");
	}

	heap_file(const heap_file &) = delete;
	heap_file &operator=(const heap_file &) = delete;

	~heap_file()
	{
		(void)lg_heap_close(heap_);
		unlink(path_.c_str());
		for (void *taken : taken_)
			munmap(taken, PAGE);
	}

	operator lg_heap *() const { return heap_; }

	/* Everything is committed; where the heap was lies something else. */
	void reopen_elsewhere()
	{
		char *before = base();

		CLAIM(lg_heap_commit(heap_) == 0);
		CLAIM(lg_heap_close(heap_) == 0);
		heap_ = nullptr;
		void *taken = mmap(before + (1 << 20), PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		CLAIM(taken == before + (1 << 20));
		taken_.push_back(taken);
		open("reserve:1G");
		CLAIM(base() != before);
	}

	/* What a crash leaves: the last commit. */
	void reopen_without_commit()
	{
		CLAIM(lg_heap_close(heap_) == 0);
		open("reserve:1G");
	}

	template <class T>
	T *root(const char *name) const
	{
		return static_cast<T *>(lg_heap_at(heap_, lg_heap_root_get(heap_, name)));
	}

	template <class T>
	T *set_root(const char *name, T *object) const
	{
		CLAIM(lg_heap_root_set(heap_, name, lg_heap_ref(heap_, object)) == 0);
		return object;
	}

	std::uint64_t objects() const
	{
		struct lg_heap_stats stats;

		CLAIM(lg_heap_stats_read(heap_, &stats) == 0);
		return stats.objects;
	}

private:
	enum { PAGE = 4096 };

	void open(const char *options)
	{
		heap_ = lg_heap_open(path_.c_str(), options);
		if (heap_ == nullptr)
			std::fprintf(stderr, "%s\n", lg_error());
		CLAIM(heap_ != nullptr);
	}

	char *base() const { return static_cast<char *>(lg_heap_at(heap_, PAGE)) - PAGE; }

	std::string path_;
	lg_heap *heap_ = nullptr;
	std::vector<void *> taken_;
};

#endif
