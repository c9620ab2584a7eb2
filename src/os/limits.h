/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the system allows this process. Nothing here allocates. */
#ifndef LG_OS_LIMITS_H
#define LG_OS_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* The least of RAM and the limits of the memory cgroups above this process, in bytes. */
uint64_t lg_os_memory_bytes(void);

/* RLIMIT_AS in bytes; UINT64_MAX: none. */
uint64_t lg_os_address_space_bytes(void);

/*
 * The least of that and RLIMIT_DATA, which counts private mappings that may be written, touched or not: a pager's frames and
 * tables, and its maps. UINT64_MAX: neither.
 */
uint64_t lg_os_writable_bytes_max(void);

/*
 * For the end of a message: that RLIMIT_AS or RLIMIT_DATA may be why. "" where there is none, and for an -errno that they do
 * not cause.
 */
const char *lg_os_address_space_hint(int error);

/*
 * RLIMIT_FSIZE in bytes; UINT64_MAX: none. To be asked before a regular file gets longer, as the kernel sends SIGXFSZ to who
 * makes it longer than that. Keeps errno.
 */
uint64_t lg_os_file_bytes_max(void);

/* vm.overcommit_memory is 2: what is writable counts as if it were used. */
bool lg_os_overcommit_is_strict(void);

/* vm.max_map_count, or the kernel's default where it cannot be read. */
uint64_t lg_os_mappings_max(void);

#endif
