# SPDX-License-Identifier: Apache-2.0 OR MIT
# Run by cpack before it packs what it staged: what Debian's policy asks of every package beside its files.
# Compressed without names and times, so that two runs give the same bytes if SOURCE_DATE_EPOCH is set.
set(file_mode OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
set(directory_mode ${file_mode} OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)

# A version with a revision is somebody's package of a release, and has a changelog of each.
set(version ${CPACK_PACKAGE_VERSION})
set(debian_changelog changelog)
set(own_changelog NEWS)
if(CPACK_DEBIAN_PACKAGE_RELEASE)
	string(APPEND version -${CPACK_DEBIAN_PACKAGE_RELEASE})
	set(debian_changelog changelog.Debian)
	set(own_changelog changelog)
endif()

function(document component package)
	set(share "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/share")
	set(doc "${share}/doc/${package}")
	configure_file("${CPACK_LGALLOC_SOURCE_DIR}/cmake/debian/copyright" "${doc}/copyright" COPYONLY)
	configure_file("${CPACK_LGALLOC_SOURCE_DIR}/CHANGELOG.md" "${doc}/${own_changelog}" COPYONLY)
	string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
	file(WRITE "${doc}/${debian_changelog}" "lgalloc (${version}) unstable; urgency=medium\n\n"
		"  * Version ${CPACK_PACKAGE_VERSION}; ${own_changelog}.gz has what changed.\n\n"
		" -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
	file(CHMOD "${doc}/copyright" "${doc}/${own_changelog}" "${doc}/${debian_changelog}"
		PERMISSIONS ${file_mode})
	file(GLOB pages "${share}/man/man*/*.[1-9]")
	execute_process(COMMAND gzip -9nf -- "${doc}/${own_changelog}" "${doc}/${debian_changelog}" ${pages}
		RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "gzip of the manual pages and changelogs of ${package}: ${status}")
	endif()
endfunction()

if(CPACK_GENERATOR STREQUAL "DEB")
	foreach(component IN LISTS CPACK_COMPONENTS_ALL)
		string(TOUPPER ${component} upper)
		document(${component} ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
	endforeach()
endif()

# CPack makes directories by the umask.
file(GLOB_RECURSE paths LIST_DIRECTORIES true "${CPACK_TEMPORARY_DIRECTORY}/*")
foreach(path IN LISTS paths)
	if(IS_DIRECTORY "${path}" AND NOT IS_SYMLINK "${path}")
		file(CHMOD "${path}" PERMISSIONS ${directory_mode})
	endif()
endforeach()
