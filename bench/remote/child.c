/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/child.h"

#include "workload/clock.h"
#include "workload/result.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 5000, STEP_MS = 5 };

/* Settings of the user's would change what is measured, or lead elsewhere. */
static void clear_environment(void)
{
	static const char *const foreign[] = {
		"AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
		"http_proxy",    "HTTP_PROXY",  "https_proxy",     "HTTPS_PROXY",
		"all_proxy",     "ALL_PROXY",   "RCLONE_CONFIG",   "CURL_HOME",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		unsetenv(foreign[i]);
}

static void extend_path(void)
{
	const char *path = getenv("PATH");
	char more[PATH_MAX];

	snprintf(more, sizeof(more), "%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
	setenv("PATH", more, 1);
}

static _Noreturn void become(char *const words[], const char *log)
{
	int null = open("/dev/null", O_RDONLY);
	int text = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, STDIN_FILENO);
	dup2(text, STDOUT_FILENO);
	dup2(text, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, UINT_MAX,
		    0); /* the runner waits until all of its pipes are closed */
	clear_environment();
	extend_path();
	execvp(words[0], words);
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

pid_t child_start(char *const words[], const char *log)
{
	pid_t child = fork();

	if (child == -1)
		result_fail("fork: %s", strerror(errno));
	if (child == 0)
		become(words, log);
	return child;
}

bool child_ended(pid_t child)
{
	return waitpid(child, NULL, WNOHANG) != 0;
}

void child_end(pid_t child)
{
	kill(child, SIGTERM);
	for (unsigned ms = 0; ms < END_MS; ms += STEP_MS) {
		if (child_ended(child))
			return;
		clock_rest(STEP_MS * 1000000u);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

bool child_can_start(const char *program)
{
	char path[PATH_MAX], *rest = path;

	extend_path();
	snprintf(path, sizeof(path), "%s", getenv("PATH"));
	for (char *directory; (directory = strsep(&rest, ":")) != NULL;) {
		char file[PATH_MAX + 64];

		snprintf(file, sizeof(file), "%s/%s", directory, program);
		if (access(file, X_OK) == 0)
			return true;
	}
	return false;
}
