# SPDX-License-Identifier: Apache-2.0 OR MIT
# Read by cpack first: what would give packages that look right and are not is refused.
if(CPACK_GENERATOR STREQUAL "DEB")
	if(CMAKE_VERSION VERSION_LESS 3.19)
		message(FATAL_ERROR "cpack ${CMAKE_VERSION} runs no scripts of ours: Debian packages need 3.19")
	endif()
	foreach(program dpkg-deb dpkg-shlibdeps file gzip)
		find_program(found_${program} ${program})
		if(NOT found_${program})
			message(FATAL_ERROR "Debian packages cannot be made without ${program}: install dpkg-dev, file and gzip")
		endif()
	endforeach()
	# The library directory was chosen for the prefix when the build directory was configured.
	if(NOT CPACK_LGALLOC_PREFIX STREQUAL "/usr")
		message(FATAL_ERROR "this build directory is for '${CPACK_LGALLOC_PREFIX}', and Debian packages are "
			"for /usr: configure one with -DCMAKE_INSTALL_PREFIX=/usr")
	endif()
	if(CPACK_LGALLOC_CROSS)
		message(FATAL_ERROR "this build directory is for another machine, and dpkg takes the architecture and "
			"the dependencies from this one: make the packages there")
	endif()
endif()

# Packages of one commit are the same bytes wherever they are made.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
	execute_process(COMMAND git -C "${CPACK_LGALLOC_SOURCE_DIR}" log -1 --format=%ct RESULT_VARIABLE status
		OUTPUT_VARIABLE time OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
	if(status EQUAL 0)
		set(ENV{SOURCE_DATE_EPOCH} ${time})
	endif()
endif()

# That the preloaded library has no version and is no matter for shlibs is as it should be.
set(CMAKE_SUPPRESS_DEVELOPER_WARNINGS ON)
