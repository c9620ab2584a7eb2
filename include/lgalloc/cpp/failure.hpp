/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* How calls end that have nothing to return: by an exception, or with -fno-exceptions by a line and abort(). */
#ifndef LG_CPP_FAILURE_HPP
#define LG_CPP_FAILURE_HPP

#include <lgalloc/lgalloc.h>

#include <new>
#include <stdexcept>

#ifndef __cpp_exceptions
#include <cstdio>
#include <cstdlib>
#endif

namespace lg::failure
{

#ifdef __cpp_exceptions

/* A region was refused; errno and lg_error() say why. */
[[noreturn]] inline void memory()
{
	throw std::bad_alloc();
}

/* More bytes than std::size_t counts. */
[[noreturn]] inline void array_length()
{
	throw std::bad_array_new_length();
}

/* More elements than a container can have. */
[[noreturn]] inline void length(const char *call)
{
	throw std::length_error(call);
}

/* No such element. */
[[noreturn]] inline void range(const char *call)
{
	throw std::out_of_range(call);
}

#else

[[noreturn]] inline void stop(const char *call, const char *reason)
{
	std::fprintf(stderr, "lgalloc: %s: %s\n", call, reason);
	std::abort();
}

[[noreturn]] inline void memory()
{
	stop("no memory", lg_error());
}

[[noreturn]] inline void array_length()
{
	stop("no memory", "more bytes than can be counted");
}

[[noreturn]] inline void length(const char *call)
{
	stop(call, "too many elements");
}

[[noreturn]] inline void range(const char *call)
{
	stop(call, "no such element");
}

#endif

} // namespace lg::failure

#endif
