/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lgalloc top: a table from a metrics file, again and again, drawn in place on a terminal. */
#include "base/error.h"
#include "base/option.h"
#include "os/clock.h"
#include "tool/command.h"
#include "tool/figure.h"
#include "tool/pagers.h"
#include "tool/process.h"
#include "tool/reading.h"
#include "tool/remote.h"
#include "tool/table.h"
#include "tool/terminal.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_ONCE = '1' };

/* A file is late when this many intervals, and a second for a busy machine, have passed. */
enum { LATE_INTERVALS = 5, LATE_MS = 1000 };

static const struct argp_option argp_options[] = {
	{ "delay", 'd', "SECONDS", 0, "Time between two tables: 0.1 to 3600 (default 1)", 0 },
	{ "count", 'n', "N", 0, "End after N tables", 0 },
	{ "once", KEY_ONCE, NULL, 0, "One table of all since the process began, and no rates", 0 },
	{ "sort", 's', "KEY", 0, "Largest first by this column; see below", 0 },
	{ "all", 'a', NULL, 0, "Show classes too in which nothing is and nothing happens", 0 },
	{ "list", 'l', NULL, 0, "List the processes that write a metrics file, and end", 0 },
	{ 0 },
};

struct wishes {
	const char *what;
	uint64_t delay_ms;
	uint64_t count; /* 0: no end */
	size_t sort;
	bool once;
	bool all;
	bool list;
};

static uint64_t take_delay(const char *text, struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0.1 && seconds <= 3600))
		argp_error(state, "--delay: '%s' is not a number of seconds from 0.1 to 3600",
			   text);
	return (uint64_t)(seconds * 1000 + 0.5);
}

static uint64_t take_count(const char *text, struct argp_state *state)
{
	char *end;

	errno = 0;
	unsigned long long count = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || count == 0)
		argp_error(state, "--count: '%s' is not a number from 1 up", text);
	return count;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct wishes *wishes = state->input;

	switch (key) {
	case 'd':
		wishes->delay_ms = take_delay(argument, state);
		return 0;
	case 'n':
		wishes->count = take_count(argument, state);
		return 0;
	case KEY_ONCE:
		wishes->once = true;
		return 0;
	case 's':
		if (!lg_table_column(argument, &wishes->sort))
			argp_error(state, "--sort: '%s' is none of %s", argument, lg_table_keys());
		return 0;
	case 'a':
		wishes->all = true;
		return 0;
	case 'l':
		wishes->list = true;
		return 0;
	case ARGP_KEY_ARG:
		if (wishes->what != NULL)
			argp_error(state, "one process or file at a time, not '%s' as well",
				   argument);
		wishes->what = argument;
		return 0;
	case ARGP_KEY_END:
		if (wishes->what == NULL && !wishes->list)
			argp_error(state,
				   "which process or metrics file? --list shows those there are");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct watch {
	const struct wishes *wishes;
	const char *path;
	bool by_pid;
	bool has_process; /* one is known, perhaps not alive any more */
	bool is_alive;
	struct lg_process process;
	uint64_t versions; /* of the file that were seen */
	struct lg_reading now;
	struct lg_reading before; /* from the second version on */
};

static _Noreturn void fail(const struct watch *watch, int error)
{
	lg_terminal_close();
	if (watch->by_pid && !lg_process_is_alive(&watch->process))
		lg_command_fail("top", "process %ld (%s) has ended", (long)watch->process.pid,
				watch->process.name);
	if (watch->by_pid && error == -ENOENT && watch->versions == 0)
		lg_command_fail(
			"top",
			"process %ld (%s) has not written '%s': it does at each interval from "
			"its first region on, unless background:off",
			(long)watch->process.pid, watch->process.name, watch->path);
	lg_command_fail("top", "'%s': %s", watch->path, lg_error());
}

static void look(struct watch *watch)
{
	static struct lg_reading fresh;
	static struct lg_process writer;
	int error = lg_reading_read(watch->path, &fresh);

	if (error != 0)
		fail(watch, error);
	if (watch->versions == 0 || fresh.written_ns != watch->now.written_ns) {
		watch->before = watch->now;
		watch->now = fresh;
		watch->versions++;
	}
	watch->is_alive = watch->has_process && lg_process_is_alive(&watch->process);
	if (watch->by_pid && !watch->is_alive)
		fail(watch, -ESRCH);
	if (!watch->is_alive && lg_process_find_writer(watch->path, &writer)) {
		watch->process = writer;
		watch->has_process = watch->is_alive = true;
	}
}

static double age_seconds(const struct watch *watch)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	double age = (double)now.tv_sec - (double)watch->now.written_ns / 1e9 +
		     (double)now.tv_nsec / 1e9;
	return age > 0 ? age : 0;
}

/* What is known of it: the process's option, the time between the last two versions, the default. */
static double interval_seconds(const struct watch *watch)
{
	if (watch->has_process)
		return (double)watch->process.interval_ms / 1000;
	double seen = watch->versions > 1 ? lg_table_seconds(&watch->before, &watch->now) : 0;
	double usual = (double)lg_option(interval) / 1000;
	return seen > usual ? seen : usual;
}

static bool is_late(const struct watch *watch)
{
	return age_seconds(watch) * 1000 >
	       interval_seconds(watch) * 1000 * LATE_INTERVALS + LATE_MS;
}

static void print_process(FILE *to, const struct watch *watch)
{
	const struct lg_process *process = &watch->process;
	char text[LG_FIGURE_BYTES];

	if (!watch->has_process)
		fprintf(to, "of a process that has ended or cannot be seen");
	else if (!watch->is_alive)
		fprintf(to, "%s, pid %ld: HAS ENDED", process->name, (long)process->pid);
	else
		fprintf(to, "%s, pid %ld, %s resident", process->name, (long)process->pid,
			lg_figure_bytes((double)lg_process_resident_bytes(process), text));
	fprintf(to, "; written %.1fs ago", age_seconds(watch));
	if (is_late(watch))
		fprintf(to, ": STALE, every %gs is expected", interval_seconds(watch));
	fprintf(to, "; %" PRIu64 " thread%s with a cache\n", watch->now.threads,
		watch->now.threads == 1 ? "" : "s");
}

static void print_bytes(FILE *to, const struct watch *watch)
{
	const struct lg_reading *now = &watch->now;
	double in_use = 0, cached = 0, dirty = 0, lazy = 0, clean = 0;
	char a[LG_FIGURE_BYTES], b[LG_FIGURE_BYTES], c[LG_FIGURE_BYTES], d[LG_FIGURE_BYTES],
		e[LG_FIGURE_BYTES];

	for (unsigned i = 0; i < now->class_count; i++) {
		const struct lg_class_stats *class = &now->classes[i];

		in_use += (double)class->in_use * (double)class->size;
		cached += (double)class->cached * (double)class->size;
		dirty += (double)class->dirty * (double)class->size;
		lazy += (double)class->lazy * (double)class->size;
		clean += (double)class->clean * (double)class->size;
	}
	fprintf(to, "%s in use, %s cached, %s dirty, %s lazy, %s clean; ",
		lg_figure_bytes(in_use, a), lg_figure_bytes(cached, b), lg_figure_bytes(dirty, c),
		lg_figure_bytes(lazy, d), lg_figure_bytes(clean, e));
	fprintf(to, "%s mapped", lg_figure_bytes((double)now->totals.area_bytes, a));
	if (now->totals.refused > 0)
		fprintf(to, "; %" PRIu64 " REFUSED", now->totals.refused);
	fputc('\n', to);
}

/* False: it cannot be written. */
static bool show(const struct watch *watch, bool on_terminal)
{
	struct lg_table table = {
		.now = &watch->now,
		.before = &watch->before,
		.mode = LG_COLUMN_RATES,
		.sort = watch->wishes->sort,
		.idle = watch->wishes->all,
		.bold = on_terminal,
	};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	if (to == NULL)
		return false;
	if (watch->wishes->once)
		table.mode = LG_COLUMN_TOTALS;
	else if (watch->versions < 2 || is_late(watch) ||
		 lg_table_seconds(&watch->before, &watch->now) <= 0)
		table.mode = LG_COLUMN_WAITING;
	if (on_terminal) {
		lg_terminal_size(&table.width, &table.height);
		/* Two lines above the table, and the cursor's below it. */
		table.height = table.height > 6 ? table.height - 3 : 3;
	}
	print_process(to, watch);
	print_bytes(to, watch);
	lg_pagers_print(to, &table);
	lg_remote_print(to, &table);
	lg_table_print(to, &table);
	bool good = fclose(to) == 0;
	if (good && on_terminal)
		good = lg_terminal_draw(text, length);
	else if (good)
		good = fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0;
	free(text);
	return good;
}

static void rest(uint64_t ms)
{
	struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

/* One table under the other; rates want a second look before the first of them. */
static int follow(struct watch *watch)
{
	for (uint64_t shown = 0; watch->wishes->count == 0 || shown < watch->wishes->count;
	     shown++) {
		rest(watch->wishes->delay_ms);
		look(watch);
		if ((shown > 0 && putchar('\n') == EOF) || !show(watch, false))
			break;
	}
	return lg_command_end("top");
}

static int follow_on_terminal(struct watch *watch)
{
	uint64_t shown = 0, next = lg_os_now_ms() + watch->wishes->delay_ms;
	int error = lg_terminal_open();
	bool good = true;

	if (error != 0)
		lg_command_fail("top", "the terminal: %s", lg_error_name(-error));
	while ((good = show(watch, true)) &&
	       (watch->wishes->count == 0 || shown < watch->wishes->count)) {
		uint64_t now = lg_os_now_ms();
		enum lg_terminal_event event = lg_terminal_wait(next > now ? next - now : 0);

		if (event == LG_TERMINAL_QUIT)
			break;
		if (event == LG_TERMINAL_REDRAW)
			continue;
		next = lg_os_now_ms() + watch->wishes->delay_ms;
		look(watch);
		shown++;
	}
	lg_terminal_close();
	if (!good)
		lg_command_fail("top", "standard output: %s", lg_error_name(errno));
	return EXIT_SUCCESS;
}

static void print_process_row(const struct lg_process *process)
{
	char path[sizeof(process->metrics_file)];

	memcpy(path, process->metrics_file, sizeof(path));
	lg_process_make_printable(path);
	printf("%7ld %-15s %s\n", (long)process->pid, process->name, path);
}

static void begin(struct watch *watch, const char *what)
{
	watch->path = what;
	watch->by_pid = what[0] != '\0' && strspn(what, "0123456789") == strlen(what);
	if (!watch->by_pid)
		return;
	long pid = strlen(what) < 10 ? strtol(what, NULL, 10) : 0;
	if (pid <= 0)
		lg_usage_error("top", "'%s' is no process id; a file of that name is ./%s", what,
			       what);
	if (lg_process_find((pid_t)pid, &watch->process) != 0)
		lg_command_fail("top", "%s", lg_error());
	watch->has_process = true;
	watch->path = watch->process.metrics_file;
}

static const char doc[] =
	"Shows what a process holds, class by class, from the metrics file it writes: regions in use, "
	"cached by its threads, dirty, given back (clean); allocations and frees a second, and which part of "
	"the allocations each rung of the ladder served. Above them its pagers, one by one: the budget and what "
	"is resident of it, faults, and what is read from and written to stores; and what objects of URLs cost."
	"\vThe process is started with LGALLOC_CONF=metrics_file:/path/app.%p.prom, or by lgalloc run -o "
	"metrics_file:/path/app.%p.prom. On a terminal q ends. KEY is a column:";

/* The columns behind what the help says last. */
static char *add_keys(int key, const char *text, void *input)
{
	char *more;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC || asprintf(&more, "%s %s.", text, lg_table_keys()) < 0)
		return (char *)(uintptr_t)text;
	return more;
}

int lg_command_top(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "PID|FILE\n--list",
		.doc = doc,
		.help_filter = add_keys,
	};
	static char name[] = "lgalloc top";
	static struct watch watch;
	struct wishes wishes = { .delay_ms = 1000 };

	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	if (wishes.list) {
		printf("%7s %-15s %s\n", "PID", "NAME", "FILE");
		lg_process_each(print_process_row);
		return lg_command_end("top");
	}
	watch.wishes = &wishes;
	begin(&watch, wishes.what);
	look(&watch);
	if (!wishes.once)
		return lg_terminal_is_there() ? follow_on_terminal(&watch) : follow(&watch);
	(void)show(&watch, false);
	return lg_command_end("top");
}
