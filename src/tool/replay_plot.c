/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The picture of a replay: misses over budget, a line for each policy. gnuplot reads all of it from a file. */
#include "tool/replay.h"

#include "base/error.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

/* NULL: the file's name has another end. */
static const char *terminal_of(const char *path)
{
	size_t length = strlen(path);

	if (length > 4 && strcmp(path + length - 4, ".svg") == 0)
		return "svg size 1000,640 noenhanced font 'sans,11' background '#ffffff'";
	if (length > 4 && strcmp(path + length - 4, ".png") == 0)
		return "pngcairo size 1000,640 noenhanced font 'sans,11'";
	return NULL;
}

/* Between single quotes gnuplot knows only the quote, which is doubled. */
static void write_quoted(FILE *to, const char *text)
{
	fputc('\'', to);
	for (; *text != '\0'; text++)
		fprintf(to, *text == '\'' ? "''" : "%c", *text);
	fputc('\'', to);
}

static void write_points(FILE *to, const struct lg_replay *replay)
{
	fprintf(to, "$misses << END\n");
	for (unsigned i = 0; i < replay->budget_count; i++) {
		double uses = (double)replay->history->count;

		fprintf(to, "%.6f %.6f", ldexp(replay->budgets[i], (int)replay->shift - 20),
			100 * (double)replay->best[i] / uses);
		for (unsigned k = 0; k < replay->policy_count; k++)
			fprintf(to, " %.6f", 100 * (double)replay->counts[i][k].misses / uses);
		fputc('\n', to);
	}
	fprintf(to, "END\n");
}

static void write_script(FILE *to, const struct lg_replay *replay, const char *path,
			 const char *terminal)
{
	write_points(to, replay);
	fprintf(to, "set terminal %s\nset output ", terminal);
	write_quoted(to, path);
	fprintf(to, "\nset key outside right top\nset grid\nset yrange [0:]\n"
		    "set title 'misses over memory'\nset xlabel 'memory, MiB'\n"
		    "set ylabel '%% of the uses that were recorded'\n"
		    "plot $misses using 1:2 with lines dashtype 2 lw 2 lc 'black' title 'best'");
	for (unsigned k = 0; k < replay->policy_count; k++) {
		fprintf(to, ", $misses using 1:%u with linespoints lw 2 title ", k + 3);
		write_quoted(to, replay->policies[k].ops->name);
	}
	fputc('\n', to);
}

/* Its exit status; NOT_STARTED. */
static int run_gnuplot(FILE *script)
{
	int status;
	pid_t child;

	fflush(NULL);
	rewind(script);
	child = fork();
	if (child == 0) {
		if (dup2(fileno(script), STDIN_FILENO) == STDIN_FILENO)
			execlp("gnuplot", "gnuplot", "-", (char *)NULL);
		_exit(NOT_STARTED);
	}
	if (child == -1 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return EXIT_FAILURE;
	return WEXITSTATUS(status);
}

/* gnuplot would print the picture where it cannot write the file. *made: it was not there. -errno. */
static int try_file(const char *path, bool *made)
{
	enum { FLAGS = O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, MODE = 0666 };
	int fd = open(path, FLAGS | O_EXCL, MODE);

	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, FLAGS, MODE);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int draw(const struct lg_replay *replay, const char *path, const char *terminal)
{
	FILE *script = tmpfile();

	if (script == NULL)
		return lg_fail(errno, "gnuplot's script cannot be written: %s", strerror(errno));
	write_script(script, replay, path, terminal);
	int status = ferror(script) ? EXIT_FAILURE : run_gnuplot(script);
	fclose(script);
	if (status == NOT_STARTED)
		return lg_fail(ENOENT, "gnuplot is not installed; --csv has the figures");
	return status == 0 ? 0 : lg_fail(EIO, "gnuplot failed; what it says is above");
}

int lg_replay_plot(const struct lg_replay *replay, const char *path)
{
	const char *terminal = terminal_of(path);
	bool made;

	if (terminal == NULL)
		return lg_fail(EINVAL, "its name ends neither in .svg nor in .png");
	for (const char *at = path; *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			return lg_fail(EINVAL, "its name has a control character");
	int error = try_file(path, &made);
	if (error != 0)
		return lg_fail(-error, "it cannot be written: %s", strerror(-error));
	error = draw(replay, path, terminal);
	if (error != 0 && made)
		(void)unlink(path);
	return error;
}
