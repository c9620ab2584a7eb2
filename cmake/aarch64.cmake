# SPDX-License-Identifier: Apache-2.0 OR MIT
# Cross-compiles for aarch64 with Debian's gcc-aarch64-linux-gnu; tests run under qemu-user.
#
# Debian's libck-dev cannot be installed for two architectures at once. So the libraries come from a
# directory into which the arm64 packages were unpacked: `tests/run --stage aarch64` makes it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

if(NOT LGALLOC_AARCH64_ROOT)
	if(DEFINED ENV{LGALLOC_AARCH64_ROOT})
		set(LGALLOC_AARCH64_ROOT "$ENV{LGALLOC_AARCH64_ROOT}")
	else()
		get_filename_component(LGALLOC_AARCH64_ROOT "${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-root" ABSOLUTE)
	endif()
endif()
set(LGALLOC_AARCH64_ROOT "${LGALLOC_AARCH64_ROOT}" CACHE PATH "unpacked arm64 packages")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LGALLOC_AARCH64_ROOT)

set(libraries "${LGALLOC_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu")

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES
	"${LGALLOC_AARCH64_ROOT}/usr/include"
	"${LGALLOC_AARCH64_ROOT}/usr/include/aarch64-linux-gnu")
foreach(kind EXE SHARED MODULE)
	set(CMAKE_${kind}_LINKER_FLAGS_INIT "\"-L${libraries}\" \"-Wl,-rpath-link,${libraries}\"")
endforeach()

set(CMAKE_FIND_ROOT_PATH "${LGALLOC_AARCH64_ROOT}" /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${LGALLOC_AARCH64_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${libraries}/pkgconfig:${LGALLOC_AARCH64_ROOT}/usr/share/pkgconfig")

set(CMAKE_CROSSCOMPILING_EMULATOR
	qemu-aarch64 -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=${libraries}")
