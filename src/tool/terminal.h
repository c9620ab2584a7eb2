/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The terminal on stdout, redrawn in place. While it is open, keys are read as they are pressed, signals
 * are waited for, the cursor is hidden; whatever ends it puts all of that back. One thread, once a process.
 */
#ifndef LG_TOOL_TERMINAL_H
#define LG_TOOL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stdout is a terminal, and one that knows the usual codes. */
bool lg_terminal_is_there(void);

/* 0 or -errno. */
int lg_terminal_open(void);

/* As it was before, the cursor below what was drawn. */
void lg_terminal_close(void);

/* Closes and ends as the signal would have ended us. */
_Noreturn void lg_terminal_end_by(int signal_number);

void lg_terminal_size(unsigned *columns, unsigned *lines);

/* Replaces what is there. False: it cannot be written. */
bool lg_terminal_draw(const char *text, size_t length);

enum lg_terminal_event { LG_TERMINAL_TIMEOUT, LG_TERMINAL_REDRAW, LG_TERMINAL_QUIT };

/* Until the time has passed, the window has another size or we were stopped and go on, or q was pressed. */
enum lg_terminal_event lg_terminal_wait(uint64_t ms);

#endif
