/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A crew: threads that do one job, each knowing its number. */
#ifndef EXTERNAL_SORT_CREW_H
#define EXTERNAL_SORT_CREW_H

/*
 * Runs job(argument, 0 … threads - 1) in as many threads, the caller being one, and returns when all
 * have ended. 0, or -1 after a message if a thread could not be started; the job may then have run in
 * part.
 */
int crew_run(unsigned threads, void (*job)(void *argument, unsigned number), void *argument);

#endif
