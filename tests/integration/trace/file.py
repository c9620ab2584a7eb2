# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A fault trace's file, written by what src/pager/trace.h says of it."""
import struct

KINDS = {"read": 1, "write": 2, "protect": 3, "limbo-read": 4, "limbo-write": 5, "prefetch": 6, "evict": 7,
         "evict-dirty": 8, "lost": 9, "end": 10}
MASK = (1 << 64) - 1


def check(data):
    """FNV-1a, its halves folded."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & MASK
    return value ^ value >> 32


def header(budget=512 << 20, page=1 << 16, policy=b"clock", version=1, process=4711, began_ms=1800000000000):
    body = struct.pack("<8s4I3Q32s40x", b"lgtrace\n", version, 128, 32, process, began_ms, budget, page, policy)
    return body + struct.pack("<Q", check(body))


def record(kind, page, number=0, map_number=0, thread=1, shift=16):
    body = struct.pack("<QQIIBBH", number * 1000, page, map_number, thread, KINDS[kind], shift, 0)
    return body + struct.pack("<I", check(body) & 0xffffffff)


def trace(uses, end=True, **about):
    """uses: of (kind, page) or (kind, page, {more of record()})"""
    parts = [header(**about)]
    for number, (kind, page, *more) in enumerate(uses):
        parts.append(record(kind, page, number, **(more[0] if more else {})))
    if end:
        parts.append(record("end", len(uses), len(uses)))
    return b"".join(parts)
