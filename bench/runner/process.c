/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/process.h"

#include "runner/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RESULT_FD = 3, WORDS_MAX = 24, LINE_BYTES = 1024, POLL_MS = 100, TEXT_BYTES = 1024 };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
	interrupted = signal_number;
}

void process_catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool process_interrupted(void)
{
	return interrupted != 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void set_environment(const struct process *process)
{
	static const char *const foreign[] = {
		"LD_PRELOAD",
		"LGALLOC_CONF",
		"MALLOC_CONF",
		"GLIBC_TUNABLES",
	};
	const struct allocator *allocator = process->allocator;
	char conf[TEXT_BYTES];

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		unsetenv(foreign[i]);
	if (allocator->path[0] != '\0')
		setenv("LD_PRELOAD", allocator->path, 1);
	if (allocator->variable == NULL)
		return;
	bool more = allocator->options && process->options != NULL;
	snprintf(conf, sizeof(conf), "%s%s%s", allocator->value, more ? "," : "",
		 more ? process->options : "");
	setenv(allocator->variable, conf, 1);
}

static _Noreturn void become(const struct process *process, int result, int text)
{
	char directory[PATH_MAX], program[PATH_MAX + 32], words[TEXT_BYTES];
	char *argv[WORDS_MAX + 1];
	int argc = 0;
	int null = open("/dev/null", O_RDWR);

	/* Nothing of ours must go on when we are gone. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (process->cgroup != NULL && !cgroup_enter(process->cgroup))
		_exit(126);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(text, STDERR_FILENO);
	if (result == RESULT_FD)
		fcntl(RESULT_FD, F_SETFD, 0);
	else
		dup2(result, RESULT_FD);
	set_environment(process);
	if (!host_directory(directory))
		_exit(126);
	const struct allocator *allocator = process->allocator;
	bool more = allocator->options && allocator->variable == NULL && process->options != NULL;
	snprintf(program, sizeof(program), "%s/lgalloc-bench-%s", directory, allocator->program);
	snprintf(words, sizeof(words), "%s %s%s%s %s", process->workload,
		 allocator->words != NULL ? allocator->words : "", more ? " options=" : "",
		 more ? process->options : "", process->arguments);
	argv[argc++] = program;
	for (char *word = strtok(words, " "); word != NULL && argc < WORDS_MAX;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	execv(program, argv);
	_exit(127);
}

struct reading {
	int fd;
	size_t length;
	char line[LINE_BYTES];
};

static void take_lines(struct reading *reading, struct outcome *outcome, bool fresh[METRICS_MAX])
{
	char *newline;

	while ((newline = memchr(reading->line, '\n', reading->length)) != NULL) {
		size_t length = (size_t)(newline - reading->line) + 1;
		*newline = '\0';
		outcome_line(outcome, reading->line, fresh);
		reading->length -= length;
		memmove(reading->line, reading->line + length, reading->length);
	}
	if (reading->length == sizeof(reading->line))
		reading->length = 0; /* no line of ours is so long */
}

/* False: the other end was closed. */
static bool read_some(struct reading *reading)
{
	ssize_t length = read(reading->fd, reading->line + reading->length,
			      sizeof(reading->line) - reading->length);

	if (length > 0)
		reading->length += (size_t)length;
	return length > 0 || (length == -1 && (errno == EINTR || errno == EAGAIN));
}

/* Reads both until both are closed. The first of what it writes to stderr is kept for a failure. */
static void listen_to(pid_t child, const struct process *process, int result, int text,
		      struct outcome *outcome, bool fresh[METRICS_MAX], char said[TEXT_BYTES])
{
	struct reading results = { .fd = result };
	struct pollfd polled[2] = { { .fd = result, .events = POLLIN },
				    { .fd = text, .events = POLLIN } };
	double end = seconds() + process->timeout_s;
	size_t said_length = 0;
	bool ended = false;

	while (polled[0].fd != -1 || polled[1].fd != -1) {
		if (!ended && (interrupted || seconds() > end)) {
			if (!interrupted)
				outcome_state(outcome, OUTCOME_FAILED, "took too long");
			kill(child, SIGKILL);
			ended = true;
		}
		if (poll(polled, 2, POLL_MS) <= 0)
			continue;
		if (polled[0].fd != -1 && polled[0].revents != 0) {
			if (!read_some(&results))
				polled[0].fd = -1;
			take_lines(&results, outcome, fresh);
		}
		if (polled[1].fd != -1 && polled[1].revents != 0) {
			char chunk[TEXT_BYTES];
			ssize_t length = read(text, chunk, sizeof(chunk));
			if (length == 0 || (length == -1 && errno != EINTR))
				polled[1].fd = -1;
			for (ssize_t i = 0; i < length && said_length < TEXT_BYTES - 1; i++)
				said[said_length++] = chunk[i];
		}
	}
	said[said_length] = '\0';
	said[strcspn(said, "\n")] = '\0';
}

static void note_end(const struct process *process, int status, const char *said,
		     struct outcome *outcome)
{
	char reason[TEXT_BYTES + 64];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && process->cgroup != NULL) {
		outcome_state(outcome, OUTCOME_KILLED, "killed by the kernel");
	} else if (WIFSIGNALED(status)) {
		snprintf(reason, sizeof(reason), "%s %s", strsignal(WTERMSIG(status)), said);
		outcome_state(outcome, OUTCOME_FAILED, reason);
	} else if (WEXITSTATUS(status) == 0) {
		outcome_state(outcome, OUTCOME_OK, "");
	} else if (outcome->state <= OUTCOME_OK) {
		snprintf(reason, sizeof(reason), "status %d %s", WEXITSTATUS(status), said);
		outcome_state(outcome, OUTCOME_FAILED, reason);
	}
}

void process_run(const struct process *process, struct outcome *outcome)
{
	int result[2], text[2], status = 0;
	bool fresh[METRICS_MAX] = { false };
	char said[TEXT_BYTES];
	struct rusage usage;

	if (pipe2(result, O_CLOEXEC) != 0)
		goto no_process;
	if (pipe2(text, O_CLOEXEC) != 0)
		goto no_text;
	outcome->point_count = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == -1)
		goto no_fork;
	if (child == 0)
		become(process, result[1], text[1]);
	close(result[1]);
	close(text[1]);
	listen_to(child, process, result[0], text[0], outcome, fresh, said);
	close(result[0]);
	close(text[0]);
	while (wait4(child, &status, 0, &usage) == -1 && errno == EINTR)
		;
	if (interrupted)
		return;
	note_end(process, status, said, outcome);
	outcome_add(outcome, "rss", (double)usage.ru_maxrss / 1024.0, fresh);
	return;

no_fork:
	close(text[0]);
	close(text[1]);
no_text:
	close(result[0]);
	close(result[1]);
no_process:
	outcome_state(outcome, OUTCOME_FAILED, strerror(errno));
}
