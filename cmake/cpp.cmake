# SPDX-License-Identifier: Apache-2.0 OR MIT
# Enables C++ if there is a compiler, and says so in LGALLOC_CPP. The library needs none: it is for the tests,
# the example and the benchmark of lgalloc.hpp.
include(CheckLanguage)

# The C compiler's sibling before any other: the runtimes of the sanitizers must be of one make.
if(NOT DEFINED CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
	get_filename_component(directory "${CMAKE_C_COMPILER}" DIRECTORY)
	get_filename_component(name "${CMAKE_C_COMPILER}" NAME)
	string(REPLACE "clang" "clang++" name "${name}")
	string(REPLACE "gcc" "g++" name "${name}")
	string(REGEX REPLACE "^cc$" "c++" name "${name}")
	if(name MATCHES "[+][+]" AND EXISTS "${directory}/${name}")
		set(ENV{CXX} "${directory}/${name}")
	endif()
endif()
check_language(CXX)

# A toolchain file names a compiler without looking for it.
set(LGALLOC_CPP OFF)
if(CMAKE_CXX_COMPILER)
	find_program(LGALLOC_CPP_PROGRAM NAMES "${CMAKE_CXX_COMPILER}" NO_CMAKE_FIND_ROOT_PATH)
	mark_as_advanced(LGALLOC_CPP_PROGRAM)
	if(LGALLOC_CPP_PROGRAM)
		enable_language(CXX)
		set(LGALLOC_CPP ON)
		set(CMAKE_CXX_STANDARD 17)
		set(CMAKE_CXX_STANDARD_REQUIRED ON)
		set(CMAKE_CXX_EXTENSIONS OFF)
	endif()
endif()
