/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A database whose transactions are durable when they return: LMDB as it comes. The process ends where it is not. */
#ifndef BENCH_TRANSACTION_H
#define BENCH_TRANSACTION_H

#include <stddef.h>
#include <stdint.h>

/* Filled to about so many bytes, a value for each page of 4 KiB of them and more. */
void transaction_open(size_t bytes);
void transaction_put(uint64_t key, uint64_t word);
void transaction_close(void);

#endif
