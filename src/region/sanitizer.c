/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/sanitizer.h"

#include "base/option.h"

#ifdef LG_HAVE_VALGRIND
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MALLOCLIKE_BLOCK(address, bytes, redzone, zeroed) ((void)(zeroed))
#define VALGRIND_FREELIKE_BLOCK(address, redzone) ((void)(address))
#define VALGRIND_MAKE_MEM_NOACCESS(address, bytes) ((void)(address))
#endif

void __asan_poison_memory_region(void const volatile *address, size_t bytes) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *address, size_t bytes)
	__attribute__((weak));
void __tsan_init(void) __attribute__((weak));

/* Twenty-five spans of this size fit the smallest room, ThreadSanitizer's. */
#define SPAN_BYTES_MAX LG_GIB(16)

bool lg_sanitizer_active;

static bool has_asan(void)
{
	return __asan_poison_memory_region != NULL && __asan_unpoison_memory_region != NULL;
}

void lg_sanitizer_start(void)
{
	lg_sanitizer_active = lg_option(annotate) != 0 && (has_asan() || RUNNING_ON_VALGRIND);
}

uint64_t lg_sanitizer_span_bytes(void)
{
	if (RUNNING_ON_VALGRIND)
		return SPAN_BYTES_MAX / 4;
	return has_asan() || __tsan_init != NULL ? SPAN_BYTES_MAX : UINT64_MAX;
}

void lg_sanitizer_hand_out(void *data, size_t bytes, bool zero)
{
	if (has_asan())
		__asan_unpoison_memory_region(data, bytes);
	VALGRIND_MALLOCLIKE_BLOCK(data, bytes, 0, zero);
}

void lg_sanitizer_take_back(void *data, size_t bytes)
{
	if (has_asan())
		__asan_poison_memory_region(data, bytes);
	VALGRIND_FREELIKE_BLOCK(data, 0);
	(void)data;
}

void lg_sanitizer_allow(void *data, size_t bytes)
{
	if (lg_sanitizer_active && has_asan())
		__asan_unpoison_memory_region(data, bytes);
}
