#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
reader.py FILE: lists roots and objects of a heap, written from docs/heap-format.md alone. Opens the file for reading.

  root NAME REF
  object REF BYTES CRC      the CRC32C of its first 16 bytes
"""
import struct
import sys

PAGE, CHUNK, UNIT = 4096, 2 << 20, 64 << 10
FREE, SLAB, EXTENT = 0, 1, 2

TABLE = []
for value in range(256):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Refused(Exception):
    pass


class Heap:
    def __init__(self, file):
        self.file = file
        self.super = self.read_super()
        self.images = self.read_journal()
        if self.read(65536, 8) != b"LGHEADER":
            raise Refused("no header")
        self.chunks = struct.unpack("<I", self.read(65544, 4))[0]

    def raw(self, offset, size):
        self.file.seek(offset)
        data = self.file.read(size)
        if len(data) != size:
            raise Refused(f"nothing at {offset}")
        return data

    def read(self, offset, size):
        """Of the image: from the journal, where the page is there."""
        data = b""
        while len(data) < size:
            page, inside = divmod(offset + len(data), PAGE)
            whole = self.images.get(page)
            data += (whole if whole is not None else self.raw(page * PAGE, PAGE))[inside:inside + size - len(data)]
        return data

    def read_super(self):
        best = None
        for place in (0, PAGE):
            data = self.raw(place, 608)
            magic, version, page = struct.unpack_from("<8sII", data)
            if magic != b"\nLGHEAP1" or crc32c(data[:604]) != struct.unpack_from("<I", data, 604)[0]:
                continue
            if version > 1:
                raise Refused("a newer version")
            if version != 1 or page != PAGE:
                continue
            write, size, salt, tail, sequence, mode, clean, segments = struct.unpack_from("<5Q3I", data, 32)
            if best is None or write > best["write"]:
                ring = [struct.unpack_from("<QQ", data, 88 + 16 * i) for i in range(segments)]
                best = {"write": write, "size": size, "salt": salt, "tail": tail, "sequence": sequence, "ring": ring}
        if best is None:
            raise Refused("no heap")
        self.file.seek(0, 2)
        if self.file.tell() < best["size"]:
            raise Refused("truncated")
        return best

    def ring(self, at, size):
        total = sum(length for _, length in self.super["ring"])
        data = b""
        while len(data) < size:
            place = (at + len(data)) % total
            for offset, length in self.super["ring"]:
                if place < length:
                    data += self.raw(offset + place, min(length - place, size - len(data)))
                    break
                place -= length
        return data

    def read_record(self, at, sequence, left):
        """[(page, image)] and its length, or None."""
        first = self.ring(at, PAGE)
        magic, salt, number, pages, header, homes = struct.unpack_from("<8sQQIII", first)
        if (magic, salt, number) != (b"LGRECORD", self.super["salt"], sequence) or not 0 <= homes <= pages > 0:
            return None
        size = (header + pages - homes) * PAGE
        if header != (64 + 16 * pages + PAGE - 1) // PAGE or size > left:
            return None
        head = self.ring(at, header * PAGE)
        if crc32c(head[:60] + bytes(4) + head[64:]) != struct.unpack_from("<I", head, 60)[0]:
            return None
        found = []
        for i in range(pages):
            page, crc = struct.unpack_from("<QI", head, 64 + 16 * i)
            if i >= pages - homes:
                found.append((page, None))  # it is in place
                continue
            image = self.ring(at + (header + i) * PAGE, PAGE)
            if crc32c(image) != crc:
                return None
            found.append((page, image))
        return found, size

    def read_journal(self):
        images, at, sequence = {}, self.super["tail"], self.super["sequence"]
        left = sum(length for _, length in self.super["ring"])
        while left >= 2 * PAGE:
            record = self.read_record(at, sequence, left)
            if record is None:
                break
            images.update(record[0])
            at, left, sequence = at + record[1], left - record[1], sequence + 1
        return images

    def roots(self):
        for place in range(4096):
            ref, _, state = struct.unpack("<QII", self.read((1 << 20) + 256 * place, 16))
            if state == 1:
                yield self.read((1 << 20) + 256 * place + 16, 232).split(b"\0")[0].decode(), ref

    def entry(self, chunk):
        kind, size_class, _, _, used, start = struct.unpack("<4BII", self.read(CHUNK + 16 * chunk, 12))
        return kind, size_class, used, start

    def objects(self):
        extent = None
        for chunk in range(65, self.chunks):
            kind, size_class, used, start = self.entry(chunk)
            if kind == EXTENT:
                for unit in range(32):
                    at = chunk * CHUNK + unit * UNIT
                    if extent and (start >> unit & 1 or not used >> unit & 1):
                        yield extent
                        extent = None
                    if start >> unit & 1:
                        extent = (at, UNIT)
                    elif extent:
                        extent = (extent[0], extent[1] + UNIT)
                continue
            if extent:
                yield extent
                extent = None
            if kind == SLAB:
                yield from self.slots(chunk, size_class)
        if extent:
            yield extent

    def slots(self, chunk, size_class):
        shift = 7 + (size_class - 8) // 4
        size = 16 * (size_class + 1) if size_class < 8 else (1 << shift) + ((size_class - 8) % 4 + 1 << shift - 2)
        bits = (CHUNK // size + 63) // 64 * 64
        first = (bits // 8 + PAGE - 1) // PAGE * PAGE
        bitmap = self.read(chunk * CHUNK, first)
        for slot in range((CHUNK - first) // size):
            if bitmap[slot // 8] >> slot % 8 & 1:
                yield chunk * CHUNK + first + slot * size, size


def main(path):
    with open(path, "rb") as file:
        heap = Heap(file)
        for name, ref in sorted(heap.roots()):
            print(f"root {name} {ref:#x}")
        for ref, size in heap.objects():
            print(f"object {ref:#x} {size} {crc32c(heap.read(ref, 16)):08x}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Refused as why:
        sys.exit(f"{sys.argv[1]}: {why}")
