/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/terminal.h"

#include "os/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* Lines are cut at the edge, not wrapped: where they wrap, drawing in place goes wrong. */
#define HIDE "\033[?25l\033[?7l"
#define SHOW "\033[?7h\033[?25h"
#define CLEAR "\033[H\033[2J"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static int signals = -1;
static struct termios before;
static sigset_t mask_before;
static bool has_keys; /* stdin is a terminal, and `before` is what it was */

bool lg_terminal_is_there(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' &&
	       strcmp(kind, "dumb") != 0;
}

static bool put(const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, text, length);

		if (written < 0 && errno != EINTR)
			return false;
		text += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

static void set(void)
{
	struct termios raw;

	has_keys = tcgetattr(STDIN_FILENO, &before) == 0;
	if (has_keys) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	(void)put(HIDE CLEAR, sizeof(HIDE CLEAR) - 1);
}

static void put_back(void)
{
	(void)put(SHOW, sizeof(SHOW) - 1);
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

int lg_terminal_open(void)
{
	static const int awaited[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH
	};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(awaited) / sizeof(awaited[0]); i++)
		sigaddset(&mask, awaited[i]);
	signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &mask, &mask_before);
	set();
	return 0;
}

void lg_terminal_close(void)
{
	if (signals < 0)
		return;
	put_back();
	close(signals);
	signals = -1;
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

_Noreturn void lg_terminal_end_by(int signal_number)
{
	sigset_t only;

	lg_terminal_close();
	signal(signal_number, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, signal_number);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	_exit(128 + signal_number);
}

void lg_terminal_size(unsigned *columns, unsigned *lines)
{
	struct winsize size;

	*columns = 80;
	*lines = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_col > 0)
		*columns = size.ws_col;
	if (size.ws_row > 0)
		*lines = size.ws_row;
}

bool lg_terminal_draw(const char *text, size_t length)
{
	bool good = put(HOME, sizeof(HOME) - 1);

	while (good && length > 0) {
		const char *newline = memchr(text, '\n', length);
		size_t line = newline != NULL ? (size_t)(newline - text) : length;

		good = put(text, line) && put(CLEAR_LINE "\n", sizeof(CLEAR_LINE "\n") - 1);
		line += newline != NULL;
		text += line;
		length -= line;
	}
	return good && put(CLEAR_BELOW, sizeof(CLEAR_BELOW) - 1);
}

/* What is to be done about a signal; TIMEOUT: nothing. */
static enum lg_terminal_event take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return LG_TERMINAL_TIMEOUT;
	switch (info.ssi_signo) {
	case SIGTSTP:
		put_back();
		raise(SIGSTOP);
		set();
		return LG_TERMINAL_REDRAW;
	case SIGWINCH:
		return put(CLEAR, sizeof(CLEAR) - 1) ? LG_TERMINAL_REDRAW : LG_TERMINAL_QUIT;
	case SIGCONT:
		return LG_TERMINAL_REDRAW;
	default:
		lg_terminal_end_by((int)info.ssi_signo);
	}
}

enum lg_terminal_event lg_terminal_wait(uint64_t ms)
{
	static bool keys_ended;
	uint64_t end = lg_os_now_ms() + ms;

	for (;;) {
		struct pollfd polled[2] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = has_keys && !keys_ended ? STDIN_FILENO : -1, .events = POLLIN },
		};
		uint64_t now = lg_os_now_ms();
		enum lg_terminal_event event = LG_TERMINAL_TIMEOUT;

		if (now >= end)
			return event;
		if (poll(polled, 2, (int)(end - now)) <= 0)
			continue;
		if (polled[0].revents != 0)
			event = take_signal();
		if (polled[1].revents != 0) {
			char key;
			ssize_t got = read(STDIN_FILENO, &key, 1);

			keys_ended = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
			if (got == 1 && (key == 'q' || key == 'Q'))
				event = LG_TERMINAL_QUIT;
		}
		if (event != LG_TERMINAL_TIMEOUT)
			return event;
	}
}
