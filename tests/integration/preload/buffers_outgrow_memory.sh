#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# buffers_outgrow_memory.sh LGALLOC: programs whose buffers exceed their memory cgroup's limit, without swap, finish under
# backing:paged with the right output, where they are killed with the allocator they have.
set -euo pipefail
lgalloc=$1

skip()
{
	printf 'skipped: %s\n' "$*"
	exit 77
}

fail()
{
	printf 'does not hold: %s\n' "$*"
	exit 1
}

[ "$(id -u)" -eq 0 ] || skip "a memory cgroup takes root"
python=$(command -v /usr/bin/python3) || skip "python3 is not here"
limit=$((128 << 20)) budget=64M megabytes=256

# A cgroup of ours below the one we are in, whose limit counts swap too where the kernel counts it.
if [ -w /sys/fs/cgroup/memory/cgroup.procs ]; then
	group=/sys/fs/cgroup/memory/lgalloc-test.$$
	bytes=memory.limit_in_bytes swap=memory.memsw.limit_in_bytes none=$limit
elif [ -w /sys/fs/cgroup/cgroup.subtree_control ] && grep -qw memory /sys/fs/cgroup/cgroup.subtree_control; then
	group=/sys/fs/cgroup/lgalloc-test.$$
	bytes=memory.max swap=memory.swap.max none=0
else
	skip "no memory cgroup may be made here"
fi
mkdir "$group" 2>/dev/null || skip "no memory cgroup may be made here"
work=$(mktemp -d /var/tmp/lgalloc-outgrow.XXXXXX)
finish()
{
	rm -rf "$work"
	rmdir "$group" 2>/dev/null || true
}
trap finish EXIT
printf '%s\n' "$limit" >"$group/$bytes"
[ ! -e "$group/$swap" ] || printf '%s\n' "$none" >"$group/$swap"
[ ! -e "$group/$swap" ] && [ "$(wc -l </proc/swaps)" -gt 1 ] && skip "there is swap, which this kernel does not count"

# limited COMMAND...: in the cgroup; its status
limited()
{
	(
		sh -c 'echo $PPID' >"$group/cgroup.procs"
		exec "$@"
	)
}

# Blocks that are written, read back in another order and summed; a file is read into one and written from it.
cat >"$work/blocks.py" <<'PYTHON'
import sys
count, path = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
blocks = [bytearray(8 << 20) for _ in range(count // 8)]
for number, block in enumerate(blocks):
    for at in range(0, len(block), 4096):
        block[at:at + 8] = (number * 1000003 + at).to_bytes(8, "little")
total = 0
for number, block in reversed(list(enumerate(blocks))):
    for at in range(0, len(block), 4096):
        assert int.from_bytes(block[at:at + 8], "little") == number * 1000003 + at, (number, at)
        total += number * 1000003 + at
if path is not None:
    with open(path, "wb", buffering=0) as file:
        for block in blocks:
            assert file.write(block) == len(block)
    with open(path, "rb", buffering=0) as file:
        for number, block in enumerate(blocks):
            block[:] = bytes(len(block))
            assert file.readinto(block) == len(block)
            assert int.from_bytes(block[4096:4104], "little") == number * 1000003 + 4096
print(total)
PYTHON

say()
{
	printf '%s: %s\n' "$1" "$2"
}

# As much as fits anywhere, to know the answer without a limit.
right=$("$python" "$work/blocks.py" "$megabytes")
paged="backing:paged,paged_memory:$budget,dir:$work"

jemalloc=$(ldconfig -p | sed -n 's/.*=> \(.*libjemalloc\.so\.[0-9]*\)$/\1/p' | head -n 1)
status=0
limited env ${jemalloc:+LD_PRELOAD="$jemalloc"} "$python" "$work/blocks.py" "$megabytes" >"$work/killed" 2>&1 || status=$?
[ "$status" -eq 137 ] || fail "with ${jemalloc:-glibc} it is killed, and not: $status $(cat "$work/killed")"
say "${jemalloc:-glibc}" "killed"

# The kernel reads and writes the buffers itself.
status=0
limited "$lgalloc" run -o "$paged" -- "$python" "$work/blocks.py" "$megabytes" "$work/file" >"$work/out" 2>&1 || status=$?
[ "$status" -eq 0 ] || fail "under $paged it finishes: status $status, $(tail -n 5 "$work/out")"
[ "$(cat "$work/out")" = "$right" ] || fail "the output is right: $(cat "$work/out"), not $right"
say "$paged" "right"

# The same bound with small pages, and another policy, for a program that goes to and fro in its block.
seq 1 400000 | sort -R --random-source=<(yes) >"$work/lines"
LC_ALL=C sort "$work/lines" >"$work/sorted"
small=backing:paged,paged_memory:16M,paged_page:4K,paged_policy:s3fifo,dir:$work
status=0
LC_ALL=C limited "$lgalloc" run -m 64K -o "$small" -- \
	sort -S 32M --parallel=2 -T "$work" -o "$work/out" "$work/lines" >"$work/errors" 2>&1 || status=$?
[ "$status" -eq 0 ] || fail "sort under $small finishes: status $status, $(cat "$work/errors")"
cmp "$work/sorted" "$work/out" || fail "sort under $small sorts"
say "$small" "right"

# Nobody is told that the bound is there where it is not.
for faults in threads inline; do
	status=0
	limited "$lgalloc" run -o "$paged/none,faults:$faults" -- \
		"$python" -c 'bytearray(8 << 20)' >"$work/out" 2>&1 || status=$?
	[ "$status" -eq 1 ] || fail "faults:$faults without a directory is refused: status $status, $(cat "$work/out")"
	grep -qF "dir '$work/none'" "$work/out" || fail "and told which: $(cat "$work/out")"
done
chmod 1777 "$work"
if [ "$(cat /proc/sys/vm/unprivileged_userfaultfd)" = 0 ] && ! setpriv --reuid=65534 --clear-groups test -w /dev/userfaultfd; then
	status=0
	setpriv --reuid=65534 --regid=65534 --clear-groups "$lgalloc" run -o "$paged" -- true >"$work/out" 2>&1 || status=$?
	[ "$status" -eq 1 ] || fail "as nobody it is refused: status $status, $(cat "$work/out")"
	grep -q 'faults:inline' "$work/out" || fail "and told what to do: $(cat "$work/out")"
fi

# Served by the thread itself, by a user without a privilege, where no system call sees a buffer.
status=0
limited setpriv --reuid=65534 --regid=65534 --clear-groups "$lgalloc" run -o "$paged,faults:inline" -- \
	"$python" "$work/blocks.py" "$megabytes" >"$work/out" 2>&1 || status=$?
[ "$status" -eq 0 ] || fail "under $paged,faults:inline it finishes: status $status, $(tail -n 5 "$work/out")"
[ "$(cat "$work/out")" = "$right" ] || fail "the output is right: $(cat "$work/out"), not $right"
say "$paged,faults:inline" "right, as nobody"

# Without the privilege faults:threads is refused, and the program says so by failing, not by dying of a signal.
status=0
setpriv --reuid=65534 --regid=65534 --clear-groups "$lgalloc" run -o "$paged" -- \
	"$python" -c 'bytearray(8 << 20)' >"$work/out" 2>&1 || status=$?
[ "$status" -lt 128 ] || fail "without the privilege nothing dies: status $status, $(tail -n 5 "$work/out")"

# A child has none of the parent's regions; fork and exec need none of them.
cat >"$work/fork.py" <<'PYTHON'
import os, signal, subprocess
block = bytearray(b"x" * (16 << 20))
assert subprocess.run(["/bin/echo", "-n", "fine"], capture_output=True, close_fds=True).stdout == b"fine"
child = os.fork()
if child == 0:
    os._exit(block[12345])
_, status = os.waitpid(child, 0)
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV, status
assert block == b"x" * (16 << 20)
print("parent and exec are well")
PYTHON
for faults in threads inline; do
	status=0
	"$lgalloc" run -o "$paged,faults:$faults" -- "$python" "$work/fork.py" >"$work/out" 2>&1 || status=$?
	[ "$status" -eq 0 ] || fail "fork under faults:$faults: status $status, $(tail -n 5 "$work/out")"
done
say "fork" "the child of a fork is SIGSEGV, exec is well"
