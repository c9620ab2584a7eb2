# SPDX-License-Identifier: Apache-2.0 OR MIT
# What `cpack -G DEB` and `cpack -G TGZ` make of what is installed. docs/packages.md is for who runs them.
set(CPACK_PACKAGE_CONTACT "lgalloc authors <authors@lgalloc.invalid>" CACHE STRING
	"who answers for the packages: NAME <ADDRESS>")
set(CPACK_PACKAGE_VENDOR "lgalloc authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # or it comes before each package's own
set(CPACK_PACKAGE_FILE_NAME "lgalloc-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE-MIT")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

# Debian's packages have documentation of their own kind, written by debian/files.cmake.
set(CPACK_COMPONENTS_ALL library development tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE lgalloc)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(about "A region is a power-of-two piece of memory, 4 KiB to 64 GiB, got and given
back in a few nanoseconds from any thread. By default its bytes live in an
unlinked file: when memory is short the kernel pages them out, and no swap is
needed. A full disk is an error from the call and never a signal later.
")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME liblgalloc${soname_number})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/triggers")
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "allocator for large memory, backed by a file or anonymous (library)
${about}
This package has the shared library.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME liblgalloc-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "allocator for large memory, backed by a file or anonymous (development)
${about}
This package has the headers, the static library, the files for pkg-config
and CMake, and the manual pages of the calls and of the options.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME lgalloc-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "liblgalloc-dev, libcurl4")
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "allocator for large memory, backed by a file or anonymous (command)
${about}
This package has the command lgalloc and the library that \"lgalloc run\"
preloads into programs nobody recompiles, to put their large allocations into
regions.")

set(CPACK_PROJECT_CONFIG_FILE "${CMAKE_CURRENT_LIST_DIR}/debian/configure.cmake")
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian/files.cmake")
set(CPACK_POST_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian/control.cmake")
set(CPACK_LGALLOC_SOURCE_DIR "${PROJECT_SOURCE_DIR}")
set(CPACK_LGALLOC_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_LGALLOC_CROSS "${CMAKE_CROSSCOMPILING}")
include(CPack)
