/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Tests in C++. cmocka ends a failed test by longjmp, past destructors, and its macros collide with the
 * standard library's names; here a claim that does not hold is an exception.
 */
#ifndef UNIT_CPP_CLAIM_HPP
#define UNIT_CPP_CLAIM_HPP

#include <lgalloc/lgalloc.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>

struct claim_failed {
};

#define CLAIM(condition) claim(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

inline void claim(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	std::fprintf(stderr, "%s:%d: does not hold: %s (lg_error: %s)\n", file, line, what,
		     lg_error());
	throw claim_failed();
}

/* Whether the call throws an Exception. Others pass. */
template <class Exception, class Call>
bool throws(Call call)
{
	try {
		call();
	} catch (const Exception &) {
		return true;
	}
	return false;
}

inline std::uint64_t in_use_bytes()
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	return stats.in_use_bytes;
}

inline bool is_in_region(const void *address)
{
	return lg_region_of(address) != nullptr;
}

struct test {
	const char *name;
	void (*run)();
};

#define TEST(function)                                                                             \
	test                                                                                       \
	{                                                                                          \
#function, function                                                                \
	}

/* After each test everything was given back. The exit status: 1 if one failed. */
inline int run(std::initializer_list<test> tests)
{
	int failed = 0;

	for (const test &one : tests) {
		try {
			one.run();
			CLAIM(in_use_bytes() == 0);
			std::printf("ok      %s\n", one.name);
			continue;
		} catch (const claim_failed &) {
		} catch (const std::exception &exception) {
			std::fprintf(stderr, "an exception: %s\n", exception.what());
		}
		std::printf("FAILED  %s\n", one.name);
		failed = 1;
	}
	return failed;
}

#endif
