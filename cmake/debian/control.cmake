# SPDX-License-Identifier: Apache-2.0 OR MIT
# Run by cpack when the packages are made: mends what CPack cannot be told. It has no word for Multi-Arch
# before CMake 3.31, and adds scripts that call ldconfig, which the trigger makes superfluous.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
	return()
endif()

function(dpkg_deb)
	execute_process(COMMAND dpkg-deb ${ARGN} RESULT_VARIABLE status OUTPUT_QUIET)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "dpkg-deb ${ARGN}: status ${status}")
	endif()
endfunction()

set(unpacked "${CPACK_TOPLEVEL_DIRECTORY}/unpacked")
foreach(package IN LISTS CPACK_PACKAGE_FILES)
	file(REMOVE_RECURSE "${unpacked}")
	dpkg_deb(--raw-extract "${package}" "${unpacked}")
	file(REMOVE "${unpacked}/DEBIAN/postinst" "${unpacked}/DEBIAN/postrm")
	# Those of two architectures may be there together: what both have is the same bytes.
	if(package MATCHES "/liblgalloc[^/]*$")
		file(READ "${unpacked}/DEBIAN/control" control)
		string(REGEX REPLACE "\nMulti-Arch: [a-z]+" "" control "${control}")
		string(REGEX REPLACE "(^|\n)(Architecture: [a-z0-9]+)" "\\1\\2\nMulti-Arch: same" control "${control}")
		file(WRITE "${unpacked}/DEBIAN/control" "${control}")
		file(CHMOD "${unpacked}/DEBIAN/control" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
	endif()
	dpkg_deb(--root-owner-group -Zxz --build "${unpacked}" "${package}")
endforeach()
file(REMOVE_RECURSE "${unpacked}")
