#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# what_would_dangle_is_refused.sh COMPILER INCLUDE: containers that would be wrong at another address do not compile with
# lg::heap_allocator; those that are right do, by the same command.
set -euo pipefail
compiler=$1 include=$2
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

compiles() {
	cat >"$directory/it.cpp" <<CODE
#include <lgalloc/lgalloc.hpp>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
template <class T> using A = lg::heap_allocator<T>;
using pair = std::pair<const int, int>;
struct with_virtual { virtual ~with_virtual() = default; };
void use(lg_heap *heap);
void use(lg_heap *heap) { $1; }
CODE
	"$compiler" -std=c++17 -fsyntax-only -I "$include" "$directory/it.cpp" >"$directory/said" 2>&1
}

echo '#include <vector>' | "$compiler" -std=c++17 -x c++ -E -dM - | grep '__GLIBCXX__' >/dev/null || { # not -q, which ends the compiler by SIGPIPE
	echo "another standard library than GCC's"
	exit 77
}
failed=0
while IFS= read -r code; do
	compiles "$code" || { printf 'does not compile: %s\n%s\n' "$code" "$(head -n 20 "$directory/said")"; failed=1; }
done <<'RIGHT'
lg::heap_vector<int> it(A<int>{ heap }); it.push_back(1)
lg::heap_string it("text", A<char>{ heap }); it += it
std::deque<int, A<int>> it(A<int>{ heap }); it.push_front(1)
lg::heap_map<int, int> it(heap); it[1] = 1
(void)lg::heap_new<pair>(heap, 1, 2)
RIGHT
while IFS= read -r code; do
	! compiles "$code" || { printf 'compiles: %s\n' "$code"; failed=1; }
done <<'WRONG'
std::list<int, A<int>> it(A<int>{ heap }); it.push_back(1)
std::forward_list<int, A<int>> it(A<int>{ heap }); it.push_front(1)
std::map<int, int, std::less<>, A<pair>> it(A<pair>{ heap }); it[1] = 1
std::set<int, std::less<>, A<int>> it(A<int>{ heap }); it.insert(1)
std::unordered_map<int, int, std::hash<int>, std::equal_to<>, A<pair>> it(A<pair>{ heap }); it[1] = 1
std::unordered_set<int, std::hash<int>, std::equal_to<>, A<int>> it(A<int>{ heap }); it.insert(1)
std::vector<bool, A<bool>> it(A<bool>{ heap }); it.push_back(true)
auto it = std::allocate_shared<int>(A<int>{ heap }, 1)
(void)lg::heap_new<with_virtual>(heap)
WRONG
exit "$failed"
