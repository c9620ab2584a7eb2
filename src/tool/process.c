/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/process.h"

#include "base/error.h"
#include "base/option.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *open_entry(pid_t pid, const char *entry)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, entry);
	return fopen(path, "re");
}

void lg_process_make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

/* Name, state and start time. The name is in brackets and may hold brackets. */
static bool read_stat(pid_t pid, char *name, size_t bytes, char *state, uint64_t *start_time)
{
	char line[1024];
	FILE *file = open_entry(pid, "stat");

	if (file == NULL)
		return false;
	size_t length = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[length] = '\0';
	char *open = strchr(line, '('), *close = strrchr(line, ')');
	if (open == NULL || close == NULL)
		return false;
	*close = '\0';
	snprintf(name, bytes, "%s", open + 1);
	lg_process_make_printable(name);
	/* After the state eighteen fields lie before the start time. */
	return sscanf(close + 1,
		      " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		      "%" SCNu64,
		      state, start_time) == 2;
}

bool lg_process_is_alive(const struct lg_process *process)
{
	char name[sizeof(process->name)], state;
	uint64_t start_time;

	return read_stat(process->pid, name, sizeof(name), &state, &start_time) && state != 'Z' &&
	       state != 'X' && start_time == process->start_time;
}

uint64_t lg_process_resident_bytes(const struct lg_process *process)
{
	uint64_t pages = 0;
	FILE *file = open_entry(process->pid, "statm");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*s %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The innermost of its ids is the one that getpid answers there. */
static long own_id(pid_t pid)
{
	char *line = NULL;
	size_t bytes = 0;
	long id = pid;
	FILE *file = open_entry(pid, "status");

	while (file != NULL && getline(&line, &bytes, file) > 0)
		if (strncmp(line, "NSpid:\t", 7) == 0)
			id = strtol(strrchr(line, '\t') + 1, NULL, 10);
	free(line);
	if (file != NULL)
		fclose(file);
	return id;
}

/* LGALLOC_CONF as it was at the start; the caller frees it. NULL with errno 0: there is none. */
static char *read_options(pid_t pid)
{
	static const char name[] = "LGALLOC_CONF=";
	char *entry = NULL, *options = NULL;
	size_t bytes = 0;
	FILE *file = open_entry(pid, "environ");

	if (file == NULL)
		return NULL;
	errno = 0;
	while (options == NULL && getdelim(&entry, &bytes, '\0', file) > 0)
		if (strncmp(entry, name, sizeof(name) - 1) == 0)
			options = strdup(entry + sizeof(name) - 1);
	free(entry);
	fclose(file);
	return options;
}

/* Whether its absolute paths lead where ours do. */
static bool has_our_root(pid_t pid)
{
	char path[64], ours[64], its[64];
	struct stat our_root, its_root;

	snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", (long)pid);
	ssize_t its_length = readlink(path, its, sizeof(its));
	ssize_t our_length = readlink("/proc/self/ns/mnt", ours, sizeof(ours));
	snprintf(path, sizeof(path), "/proc/%ld/root", (long)pid);
	return its_length > 0 && its_length == our_length &&
	       memcmp(its, ours, (size_t)its_length) == 0 && stat(path, &its_root) == 0 &&
	       stat("/", &our_root) == 0 && its_root.st_dev == our_root.st_dev &&
	       its_root.st_ino == our_root.st_ino;
}

/* The pattern as the exporter expands it, reached from here. */
static bool reach(pid_t pid, const char *pattern, char *path, size_t bytes)
{
	long id = own_id(pid);
	size_t length = 0;

	if (pattern[0] != '/')
		length = (size_t)snprintf(path, bytes, "/proc/%ld/cwd/", (long)pid);
	else if (!has_our_root(pid))
		length = (size_t)snprintf(path, bytes, "/proc/%ld/root", (long)pid);
	for (; *pattern != '\0'; pattern++) {
		if (length + 24 > bytes)
			return false;
		if (pattern[0] == '%' && pattern[1] == 'p') {
			length += (size_t)snprintf(path + length, 24, "%ld", id);
			pattern++;
		} else {
			path[length++] = *pattern;
		}
	}
	path[length] = '\0';
	return true;
}

/* Reads the options as the process did, by the library's own parser, which is put back after. */
static int take_options(const char *options, struct lg_process *process)
{
	struct lg_options before;
	char pattern[sizeof(before.metrics_file)];

	memcpy(&before, &lg_options, sizeof(before));
	int error = lg_option_parse(options, LG_OPTION_FIRST);
	bool named = lg_option_metrics_file(pattern, sizeof(pattern));
	process->interval_ms = lg_option(interval);
	memcpy(&lg_options, &before, sizeof(before));
	if (error != 0)
		return error;
	if (!named)
		return -ENOENT;
	return reach(process->pid, pattern, process->metrics_file, sizeof(process->metrics_file)) ?
		       0 :
		       -ENAMETOOLONG;
}

static int fail(const struct lg_process *process, int error)
{
	char why[LG_ERROR_BYTES];

	if (error == ENOENT)
		return lg_fail(
			error,
			"process %ld (%s) was started without metrics_file in LGALLOC_CONF: start "
			"it with LGALLOC_CONF=metrics_file:/path/app.%%p.prom or lgalloc run -o "
			"metrics_file:..., or name the file instead of the process",
			(long)process->pid, process->name);
	if (error != EINVAL)
		return lg_fail(error, "process %ld (%s): %s; name its metrics file instead",
			       (long)process->pid, process->name, lg_error_name(error));
	lg_error_save(why);
	return lg_fail(error,
		       "LGALLOC_CONF of process %ld (%s): %.120s; name its metrics file instead",
		       (long)process->pid, process->name, why);
}

int lg_process_find(pid_t pid, struct lg_process *process)
{
	char state;
	int error = 0;

	*process = (struct lg_process){ .pid = pid };
	if (!read_stat(pid, process->name, sizeof(process->name), &state, &process->start_time) ||
	    state == 'Z' || state == 'X')
		return lg_fail(ESRCH, "there is no process %ld", (long)pid);
	char *options = read_options(pid);
	if (options != NULL)
		error = -take_options(options, process);
	else
		error = errno != 0 ? errno : ENOENT;
	free(options);
	return error == 0 ? 0 : fail(process, error);
}

/* A shell that only handed its environment on has none. */
static bool has_worker(pid_t pid)
{
	char path[64], name[32] = "";
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	DIR *threads = opendir(path);
	if (threads == NULL)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(threads)) != NULL;) {
		char comm[64];

		snprintf(comm, sizeof(comm), "task/%.20s/comm", entry->d_name);
		FILE *file = open_entry(pid, comm);
		found = file != NULL && fgets(name, sizeof(name), file) != NULL &&
			strcmp(name, "lgalloc-bg\n") == 0;
		if (file != NULL)
			fclose(file);
	}
	closedir(threads);
	return found;
}

/* Calls `take` with those that write a metrics file until it is content. */
static bool search(bool (*take)(const struct lg_process *, const void *), const void *what,
		   struct lg_process *process)
{
	DIR *names = opendir("/proc");
	bool found = false;

	if (names == NULL)
		return false;
	for (struct dirent *entry; !found && (entry = readdir(names)) != NULL;) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && *end == '\0' && lg_process_find((pid_t)pid, process) == 0 &&
		    has_worker((pid_t)pid))
			found = take(process, what);
	}
	closedir(names);
	return found;
}

/* The file itself is another at each tick: same directory and same name is the same file. */
static bool writes(const struct lg_process *process, const void *what)
{
	const char *const files[] = { process->metrics_file, what };
	struct stat directories[2];
	const char *names[2];

	for (int i = 0; i < 2; i++) {
		const char *slash = strrchr(files[i], '/');
		char directory[2 * PATH_MAX];

		names[i] = slash != NULL ? slash + 1 : files[i];
		snprintf(directory, sizeof(directory), "%.*s.",
			 slash != NULL ? (int)(slash - files[i] + 1) : 0, files[i]);
		if (stat(directory, &directories[i]) != 0)
			return false;
	}
	return strcmp(names[0], names[1]) == 0 && directories[0].st_dev == directories[1].st_dev &&
	       directories[0].st_ino == directories[1].st_ino;
}

bool lg_process_find_writer(const char *metrics_file, struct lg_process *process)
{
	return search(writes, metrics_file, process);
}

struct visit {
	void (*show)(const struct lg_process *process);
};

static bool show_one(const struct lg_process *process, const void *what)
{
	((const struct visit *)what)->show(process);
	return false;
}

void lg_process_each(void (*show)(const struct lg_process *process))
{
	struct visit visit = { show };
	struct lg_process process;

	(void)search(show_one, &visit, &process);
}
