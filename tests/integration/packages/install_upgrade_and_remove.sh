#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# install_upgrade_and_remove.sh INTO HERE: the packages that are_made.sh put into INTO, on a Debian 12 of their
# own. HERE has the programs to build there.
#
# Claim: each package installs, upgrades, downgrades, is removed and purged as Debian's tools expect; a program
# is built there with pkg-config and with find_package, shared and static, and runs on through an upgrade;
# nothing stays behind.
# Method: debootstrap's root, kept in INTO as an archive. Every command in it has its own namespaces for
# mounts and processes, so that nothing can stay mounted or running.
# Oracle: exit status of apt-get and dpkg, what programs say, and every file of the root before and after.
set -euo pipefail

into=$1
here=$2
suite=bookworm
with=gcc,libc6-dev,pkg-config,cmake,make
base=$into/$suite-${with//,/-}.tar
work=
place=
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"; [ ! -d "$place" ] || rmdir "$place"' EXIT
trap 'exit 1' HUP INT TERM

fail()
{
	[ ! -s "$work/log" ] || tail -n 30 "$work/log" >&2
	echo "$0: $*" >&2
	exit 1
}

skip()
{
	echo "skipped: $*"
	exit 77
}

[ "$(id -u)" -eq 0 ] || skip "not root"
for program in debootstrap dpkg apt-get unshare chroot; do
	command -v "$program" >/dev/null || skip "no $program here"
done
[ -d "$into/next" ] || skip "no packages were made"
grep -qx "VERSION_CODENAME=$suite" /etc/os-release ||
	skip "this is not Debian $suite, for whose C library the packages would be"
unshare --mount --pid --fork chroot / true 2>/dev/null || skip "no namespaces or chroot allowed here"

rm -rf --one-file-system "$into"/root.?????? # of a run that was killed
work=$(mktemp -d "$into/root.XXXXXX")
root=$work/root
mkdir "$root"

# --- the root -------------------------------------------------------------------------------------

# Where this machine has its packages from: the first Debian archive that apt knows and debootstrap can read.
mirror()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F '|' -v suite="$suite" \
			'$1 == "Debian" && $2 == "main" && $3 == suite && $4 ~ /^(https?|file):/ && !found++ { print $4 }'
}

# debootstrap takes no path with a space: it sees the root at a place of another name.
bootstrap()
{
	local from
	from=$(mirror)
	[ -n "$from" ] || skip "apt has no archive of Debian $suite"
	eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
	[ -z "${http_proxy-}" ] || export http_proxy
	[ -z "${https_proxy-}" ] || export https_proxy
	place=$(mktemp -d)
	# Nothing here needs to survive a crash of the machine.
	mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
	# shellcheck disable=SC2016
	unshare --mount sh -c 'mount --bind "$1" "$2" && exec debootstrap --variant=minbase --include="$3" "$4" "$2" "$5"' \
		sh "$root" "$place" "$with" "$suite" "$from" >"$work/log" 2>&1 || {
		tail -n 5 "$work/log"
		skip "debootstrap cannot make a root"
	}
	rm -f "$root"/var/cache/apt/archives/*.deb
	tar -C "$root" -cf "$base.new" . && mv "$base.new" "$base"
}

# in_root COMMAND...
in_root()
{
	unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" env -i LC_ALL=C HOME=/tmp \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# quietly COMMAND...: in the root; what it says is shown only if something fails.
quietly()
{
	in_root "$@" >"$work/log" 2>&1
}

# Every file, with mode, owner and target, but for what dpkg, apt and ldconfig note for themselves.
files()
{
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./packages -o \
		-path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log \) -prune -o \
		-printf '%p %y %m %U:%G %l\n') | sort
}

if [ -f "$base" ]; then
	tar -C "$root" -xf "$base"
else
	bootstrap
fi
files >"$work/before"
mkdir "$root/packages" "$root/tmp/project"
cp -r "$into/this" "$into/next" "$root/packages/"
cp "$here/project/CMakeLists.txt" "$here/program.c" "$root/tmp/project/"
cat >"$root/tmp/version.c" <<'C'
#include <lgalloc/lgalloc.h>
#include <stdio.h>
int main(void)
{
	puts(lg_version());
	return 0;
}
C

# version_of this|next
version_of()
{
	dpkg-deb -f "$into/$1"/lgalloc-tools_*.deb Version
}

# with_packages this|next "PACKAGE..." COMMAND...: the command with their paths in the root after it.
with_packages()
{
	local which=$1 package paths=()
	for package in $2; do
		paths+=("$(cd "$root" && echo "./packages/$which/${package}"_*.deb)")
	done
	shift 2
	quietly "$@" "${paths[@]}"
}

all=(liblgalloc0 liblgalloc-dev lgalloc-tools)
install=(apt-get -y --no-install-recommends install)
this=$(version_of this)
next=$(version_of next)

# --- the tools alone ------------------------------------------------------------------------------

with_packages this lgalloc-tools dpkg -i || fail "the tools do not install alone"
[ "$(in_root lgalloc --version)" = "lgalloc $this" ] || fail "lgalloc --version"
printf '3\n1\n2\n' >"$root/tmp/numbers"
[ "$(in_root lgalloc run -- sort /tmp/numbers | tr '\n' ' ')" = "1 2 3 " ] || fail "lgalloc run -- sort"
quietly lgalloc run -- grep -F liblgalloc-preload.so /proc/self/maps || fail "lgalloc run preloads nothing"
quietly dpkg -r lgalloc-tools || fail "the tools are not removed"
diff <(files) "$work/before" >&2 || fail "removing the tools left these files, or took them"

# --- everything, and programs of it -----------------------------------------------------------------

if with_packages this liblgalloc-dev dpkg -i; then
	fail "the headers install without the library"
fi
quietly dpkg -r liblgalloc-dev || fail "the headers that did not install cannot be removed"
with_packages this "${all[*]}" "${install[@]}" || fail "apt-get does not install"
for package in "${all[@]}"; do
	# shellcheck disable=SC2016
	[ "$(in_root dpkg-query -W -f '${Status} ${Version}' "$package")" = "install ok installed $this" ] ||
		fail "$package is not installed"
done
in_root ldconfig -p | grep -F 'liblgalloc.so.0 ' >"$work/log" || fail "ldconfig does not know the library"
quietly dpkg --verify "${all[@]}" || fail "dpkg --verify"
[ ! -s "$work/log" ] || fail "dpkg --verify finds changes"

# shellcheck disable=SC2016
quietly sh -ec 'cd /tmp
	gcc -std=c11 -Wall -Wextra -Werror project/program.c -o shared $(pkg-config --cflags --libs lgalloc)
	gcc -std=c11 project/program.c -o static -static $(pkg-config --static --cflags --libs lgalloc)
	gcc -std=c11 version.c -o version $(pkg-config --cflags --libs lgalloc)
	ldd shared | grep -F /liblgalloc.so.0
	./shared
	./static' || fail "a program of pkg-config's flags"
quietly sh -ec 'cmake -S /tmp/project -B /tmp/cmake && cmake --build /tmp/cmake && /tmp/cmake/shared && /tmp/cmake/static
	ldd /tmp/cmake/shared | grep -F /liblgalloc.so.0' || fail "a program of find_package"
[ "$(in_root pkg-config --modversion lgalloc)" = "$this" ] || fail "pkg-config --modversion"
[ "$(in_root /tmp/version)" = "$this" ] || fail "lg_version() is not $this"

# --- up, down and up ------------------------------------------------------------------------------

# up_to this|next VERSION COMMAND...: what was linked once runs with each.
up_to()
{
	local which=$1 version=$2
	shift 2
	with_packages "$which" "${all[*]}" "$@" || fail "to $version: $*"
	[ "$(in_root /tmp/version)" = "$version" ] || fail "a program linked before is not on $version"
	quietly /tmp/shared || fail "a program linked before does not run on $version"
	[ "$(in_root lgalloc --version)" = "lgalloc $version" ] || fail "lgalloc --version is not $version"
	[ "$(find "$root/usr/lib" -name 'liblgalloc.so.*.*' | wc -l)" -eq 1 ] || fail "$version beside another"
	quietly dpkg --verify "${all[@]}" || fail "dpkg --verify of $version"
}

up_to next "$next" "${install[@]}"
if with_packages this "${all[*]}" "${install[@]}"; then
	fail "apt-get downgrades unasked"
fi
up_to this "$this" dpkg -i
up_to next "$next" dpkg -i

# --- and away -------------------------------------------------------------------------------------

if quietly dpkg -r liblgalloc0; then
	fail "the library goes while the headers need it"
fi
quietly dpkg -r liblgalloc-dev || fail "the headers are not removed"
[ ! -e "$root/usr/include/lgalloc" ] || fail "the headers are still there"
quietly /tmp/shared || fail "a program does not run without the headers"
quietly dpkg -r liblgalloc0 lgalloc-tools || fail "the library and the tools are not removed"
if in_root ldconfig -p | grep -F lgalloc >"$work/log"; then
	fail "ldconfig still knows the library"
fi
if quietly /tmp/shared; then
	fail "a program runs without the library"
fi
quietly /tmp/static || fail "a static program does not run without the library"
quietly dpkg --purge "${all[@]}" || fail "purge"
[ -z "$(find "$root/var/lib/dpkg/info" -name '*lgalloc*')" ] || fail "dpkg has records after a purge"
diff <(files) "$work/before" >&2 || fail "these files stayed behind, or are gone"
