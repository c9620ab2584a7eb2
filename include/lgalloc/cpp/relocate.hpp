/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Which objects may be moved by moving their bytes. */
#ifndef LG_CPP_RELOCATE_HPP
#define LG_CPP_RELOCATE_HPP

#include <memory>
#include <type_traits>
#include <utility>

namespace lg
{

/*
 * True if an object of T may change its address by having its bytes copied there and the old ones forgotten,
 * without a constructor or destructor. So it is for whatever is trivially copyable, and in fact for most
 * other types: those that neither point into themselves nor have told anybody their address. The language
 * does not ask the compiler to know it, so for a type of your own say it:
 *
 *     template <>
 *     struct lg::is_trivially_relocatable<table> : std::true_type {
 *     };
 *
 * Not for libstdc++'s std::string, which points into itself when it is short, or its std::list and std::map,
 * whose nodes point back.
 */
template <class T>
struct is_trivially_relocatable : std::is_trivially_copyable<T> {
};

/* Assignment makes a pair not trivially copyable; its members decide. */
template <class First, class Second>
struct is_trivially_relocatable<std::pair<First, Second>>
	: std::conjunction<is_trivially_relocatable<First>, is_trivially_relocatable<Second>> {
};

template <class T>
struct is_trivially_relocatable<std::unique_ptr<T>> : std::true_type {
};

template <class T>
inline constexpr bool is_trivially_relocatable_v = is_trivially_relocatable<T>::value;

} // namespace lg

#endif
