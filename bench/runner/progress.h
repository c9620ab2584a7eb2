/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* One line on stderr that says how far a long run is; nothing where stderr is no terminal. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

void progress_begin(unsigned steps);
void progress_step(const char *what, const char *who);

/* The line is wiped; for whoever is about to print something else. */
void progress_clear(void);

#endif
