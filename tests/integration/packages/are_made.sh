#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# are_made.sh SOURCE BUILD INTO: Debian packages and the archive, of this version and of a next one, for the
# tests beside this one. INTO/this and INTO/next have them.
#
# Claim: `cpack` makes three packages and an archive that runs from where it is unpacked; the same commit gives
# the same bytes; and a build directory whose files would end up in the wrong places is refused.
# Oracle: names, comparison of bytes, exit status.
set -eu

source=$1
build=$2
into=$3
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset SOURCE_DATE_EPOCH

fail()
{
	[ ! -s "$work/log" ] || tail -n 30 "$work/log" >&2
	echo "$0: $*" >&2
	exit 1
}

for program in cpack dpkg-deb dpkg-shlibdeps file readelf gzip; do
	command -v "$program" >"$work/log" || {
		echo "skipped: no $program here"
		exit 77
	}
done

# in_umask_077 COMMAND...: what a user's umask hides must not be hidden in the packages.
in_umask_077()
{
	(umask 077 && "$@")
}

# make_packages SOURCE NAME
make_packages()
{
	rm -rf "$into/build-$2" "${into:?}/$2"
	cmake -S "$1" -B "$into/build-$2" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
		-DCMAKE_C_COMPILER="$cc" -DLGALLOC_BUILD_TESTS=OFF -DLGALLOC_BUILD_EXAMPLES=OFF \
		-DLGALLOC_BUILD_BENCH=OFF >"$work/log" 2>&1 || fail "cannot configure $2"
	cmake --build "$into/build-$2" --parallel 2 >"$work/log" 2>&1 || fail "cannot build $2"
	in_umask_077 cpack --config "$into/build-$2/CPackConfig.cmake" -G "DEB;TGZ" -B "$into/$2" \
		>"$work/log" 2>&1 || fail "cpack of $2"
	if grep -i warning "$work/log" >&2; then
		fail "cpack of $2 warns"
	fi
}

version=$(sed -n 's/^project(lgalloc VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")
major=${version%%.*}
minor=${version#*.}
minor=${minor%%.*}
[ -n "$minor" ] || fail "CMakeLists.txt names no version"
next=$major.$((minor + 1)).0

make_packages "$source" this

rm -rf "$into/source"
mkdir -p "$into/source"
for entry in "$source"/*; do
	case $build/ in
	"$entry"/*) ;;
	*) case $entry in "$source"/build*) ;; *) cp -pR "$entry" "$into/source/" ;; esac ;;
	esac
done
sed -i "s/^project(lgalloc VERSION $version/project(lgalloc VERSION $next/" "$into/source/CMakeLists.txt"
sed -i -e "s/^#define LG_VERSION_MINOR .*/#define LG_VERSION_MINOR $((minor + 1))/" \
	-e "s/^#define LG_VERSION_PATCH .*/#define LG_VERSION_PATCH 0/" "$into/source/include/lgalloc/lgalloc.h"
make_packages "$into/source" next

for name in "this $version" "next $next"; do
	directory=$into/${name% *}
	for package in liblgalloc0 liblgalloc-dev lgalloc-tools; do
		found=$(find "$directory" -maxdepth 1 -name "${package}_${name#* }_*.deb" | wc -l)
		[ "$found" -eq 1 ] || fail "$directory has $found packages $package of version ${name#* }"
	done
done

cpack --config "$into/build-this/CPackConfig.cmake" -G "DEB;TGZ" -B "$work/again" >"$work/log" 2>&1 ||
	fail "cpack a second time"
for file in "$into"/this/liblgalloc*.deb; do
	[ "$(dpkg-deb -f "$file" Multi-Arch)" = same ] || fail "$file is for one architecture alone"
done
for file in "$into"/this/*.deb; do
	if dpkg-deb --ctrl-tarfile "$file" | tar -t | grep -E 'p(re|ost)(inst|rm)' >"$work/log"; then
		fail "$file has scripts, where triggers do"
	fi
	# Without a commit the time is that of the packing.
	git -C "$source" log -1 >"$work/commit" 2>&1 || break
	cmp "$file" "$work/again/${file##*/}" >&2 || fail "a second run gives other bytes"
done

tar -C "$work" -xzf "$into"/this/lgalloc-*.tar.gz
archived=$(echo "$work"/lgalloc-"$version"-*/bin/lgalloc)
said=$("$archived" --version) || fail "the archive's command does not run"
[ "$said" = "lgalloc $version" ] || fail "the archive's command says '$said'"
"$archived" run -- grep -q liblgalloc-preload /proc/self/maps ||
	fail "the archive's command does not preload its library"

if cpack --config "$into/build-this/CPackConfig.cmake" -G DEB -B "$work/wrong" -D CPACK_LGALLOC_PREFIX=/opt \
	>"$work/log" 2>&1; then
	fail "packages are made of a build directory for /opt"
fi
grep -F -- "-DCMAKE_INSTALL_PREFIX=/usr" "$work/log" >"$work/said" || fail "the refusal does not say what to do"
