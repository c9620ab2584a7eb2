# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Work for python3: arrays of megabytes made, grown, sliced and dropped, by threads too."""
import hashlib
import sys
import threading


def churn(seed: int) -> None:
    kept = [b""] * 8
    for turn in range(150):
        one = bytearray(((seed * turn) % 23 + 1) << 19)
        one[::4096] = b"\x07" * len(one[::4096])
        kept[turn % 8] = bytes(one)


for round in range(3):
    threads = [threading.Thread(target=churn, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = bytearray()
    for n in range(600):
        grown += bytes(200_000)
    numbers = list(range(4_000_000))
    text = "x" * 60_000_000 + "y"
    digest = hashlib.sha256(text.encode()).hexdigest()
    del threads, grown, numbers, text
print("done", flush=True)
sys.stdin.read()
