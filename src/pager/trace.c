/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/trace.h"

#include "base/error.h"
#include "base/require.h"
#include "os/clock.h"
#include "os/descriptor.h"
#include "os/limits.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	RECORDS = 2048, /* of one write */
	WAIT_MS = 100,
	EXIT_WAIT_S = 2,
	PATHS = 64,
};

struct lg_trace {
	struct lg_trace_ring ring;
	uint64_t began_ns;
	int process;
	_Atomic(bool) stop;
	pthread_t thread;
	pthread_mutex_t writing; /* of what follows, and of taking from the ring */
	struct lg_os_descriptor file;
	int error;
	bool ended;
	bool says;
	uint64_t lost;
	uint64_t bytes;   /* of the file */
	uint64_t written; /* records */
	unsigned count;   /* in the buffer */
	struct lg_trace_record buffer[RECORDS];
	_Atomic(struct lg_trace *) next; /* of the process's */
	char path[PATH_MAX];
};

/*
 * No fork waits for it: who opens a trace may hold what a fork took before, as a class does for its first paged region. A
 * child may find it taken, so the list is whole at any moment: each change is one store.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct lg_trace *) traces;

/*
 * How many times a path was opened, by a hash. The last is of all that find no place of their own: a number may be left out
 * then, and none comes twice, which would empty a file of the process's own.
 */
static struct {
	uint64_t hash;
	unsigned times; /* 0: nobody's */
} paths[PATHS + 1];

/* --- writing ------------------------------------------------------------------------------------ */

static void write_all(struct lg_trace *trace, const void *bytes, size_t count)
{
	const char *at = bytes;

	if (trace->error == 0 && !lg_os_descriptor_is_ours(&trace->file))
		trace->error = -EBADF;
	while (count > 0 && trace->error == 0) {
		if (trace->bytes >= lg_os_file_bytes_max()) {
			trace->error = -EFBIG;
			break;
		}
		ssize_t written = write(trace->file.fd, at, count); /* up to the limit */
		if (written > 0) {
			at += written;
			trace->bytes += (uint64_t)written;
			count -= (size_t)written;
		} else if (written == 0 || errno != EINTR) {
			trace->error = written == 0 ? -EIO : -errno;
		}
	}
}

static void flush(struct lg_trace *trace)
{
	write_all(trace, trace->buffer, trace->count * sizeof(trace->buffer[0]));
	trace->written += trace->count;
	trace->count = 0;
}

static void append(struct lg_trace *trace, struct lg_trace_record record)
{
	record.zero = 0;
	record.check = lg_trace_record_check(&record);
	trace->buffer[trace->count++] = record;
	if (trace->count == RECORDS)
		flush(trace);
}

static uint64_t now_ns(const struct lg_trace *trace)
{
	return lg_os_now_ns() - trace->began_ns;
}

/* Under `writing`. Whether there was anything. */
static bool drain(struct lg_trace *trace)
{
	struct lg_trace_record record;
	bool any = false;

	while (lg_trace_ring_take(&trace->ring, &record)) {
		append(trace, record);
		any = true;
	}
	uint64_t lost = lg_load_relaxed(&trace->ring.lost);
	if (lost != trace->lost)
		append(trace, (struct lg_trace_record){ .time_ns = now_ns(trace),
							.kind = LG_TRACE_LOST,
							.page = lost - trace->lost });
	trace->lost = lost;
	flush(trace);
	return any;
}

/* Not of a program that closed all descriptors, whose stderr may be something else by now. */
static void say_error(const struct lg_trace *trace)
{
	if (trace->says && trace->error != 0 && trace->error != -EBADF)
		lg_say("the trace '%s' is cut off: %s", trace->path, lg_error_name(-trace->error));
}

static void end(struct lg_trace *trace)
{
	if (trace->ended)
		return;
	(void)drain(trace);
	append(trace, (struct lg_trace_record){ .time_ns = now_ns(trace),
						.kind = LG_TRACE_END,
						.page = trace->written });
	flush(trace);
	trace->ended = true;
	say_error(trace);
}

static void *run(void *argument)
{
	struct lg_trace *trace = argument;

	lg_os_thread_name("lgalloc-trace");
	while (!lg_load_relaxed(&trace->stop)) {
		uint32_t calls = lg_load_acquire(&trace->ring.calls); /* or `stop` might be older */

		pthread_mutex_lock(&trace->writing);
		bool ended = trace->ended;
		bool any = !ended && drain(trace);
		pthread_mutex_unlock(&trace->writing);
		if (lg_load_relaxed(&trace->stop))
			break;
		if (ended) /* by the exit: what still comes stays in the ring */
			lg_os_sleep_while(&trace->ring.calls, calls, 0);
		else if (any) /* more at once is cheaper */
			lg_os_sleep_while(&trace->ring.calls, calls, WAIT_MS);
		else
			lg_trace_ring_rest(&trace->ring, calls);
	}
	return NULL;
}

/* A program that ends without closing its pager: what was recorded is worth having. */
static __attribute__((destructor)) void end_at_exit(void)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += EXIT_WAIT_S;
	if (pthread_mutex_timedlock(&lock, &limit) != 0)
		return;
	for (struct lg_trace *trace = lg_load_relaxed(&traces); trace != NULL;
	     trace = lg_load_relaxed(&trace->next)) {
		if (trace->process !=
			    lg_os_process() || /* a child of fork: the file is its parent's */
		    pthread_mutex_timedlock(&trace->writing, &limit) != 0)
			continue;
		end(trace);
		pthread_mutex_unlock(&trace->writing);
	}
	pthread_mutex_unlock(&lock);
}

/* A file that a child kept would stay locked after its parent's end: whoever is next could not write it. */
void lg_trace_forget(void)
{
	for (struct lg_trace *trace = lg_load_relaxed(&traces); trace != NULL;
	     trace = lg_load_relaxed(&trace->next)) {
		lg_os_descriptor_close(&trace->file);
		trace->process =
			0; /* in a namespace of its own a child may have its parent's number */
	}
	lg_store_relaxed(&traces, NULL);
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* --- opening ------------------------------------------------------------------------------------ */

/* Which time it is that this path is opened, from 1 on. Under the lock. */
static unsigned count_path(const char *path)
{
	uint64_t hash = lg_trace_check(path, strlen(path));
	unsigned place = 0;

	while (place < PATHS && paths[place].times > 0 && paths[place].hash != hash)
		place++;
	paths[place].hash = hash;
	return ++paths[place].times;
}

/* False: too long. */
static bool make_path(const char *pattern, char path[PATH_MAX])
{
	size_t length = 0;
	int added = 0;

	for (; *pattern != '\0' && length < PATH_MAX; pattern++) {
		size_t room = PATH_MAX - length;

		if (pattern[0] == '%' && pattern[1] == 'p') {
			added = snprintf(path + length, room, "%d", lg_os_process());
			pattern++;
		} else {
			added = snprintf(path + length, room, "%c", *pattern);
		}
		length += (size_t)added;
	}
	if (length == 0 || length >= PATH_MAX)
		return false;
	unsigned times = count_path(path);
	if (times > 1)
		length += (size_t)snprintf(path + length, PATH_MAX - length, ".%u", times);
	return length < PATH_MAX;
}

/* Empties the file, if it is one of ours to replace. */
static int claim_file(struct lg_trace *trace)
{
	char magic[sizeof(((struct lg_trace_header *)0)->magic)];
	struct stat status;

	if (fstat(trace->file.fd, &status) != 0)
		return lg_fail(errno, "the trace '%s' cannot be examined: %s", trace->path,
			       lg_error_name(errno));
	if (!S_ISREG(status.st_mode))
		return lg_fail(EINVAL, "the trace '%s' would be no regular file", trace->path);
	if (flock(trace->file.fd, LOCK_EX | LOCK_NB) != 0)
		return lg_fail(EBUSY,
			       "the trace '%s' is being written by another process: use %%p, its "
			       "process id, in the path",
			       trace->path);
	if (status.st_size > 0 &&
	    (pread(trace->file.fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	     memcmp(magic, LG_TRACE_MAGIC, sizeof(magic)) != 0))
		return lg_fail(EEXIST, "the file '%s' is no trace, and is left as it is",
			       trace->path);
	if (ftruncate(trace->file.fd, 0) != 0)
		return lg_fail(errno, "the trace '%s' cannot be emptied: %s", trace->path,
			       lg_error_name(errno));
	return 0;
}

static int open_file(struct lg_trace *trace)
{
	int fd = open(trace->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0)
		return lg_fail(errno, "the trace '%s' cannot be opened: %s", trace->path,
			       lg_error_name(errno));
	lg_os_descriptor_keep(&trace->file, fd);
	int error = claim_file(trace);
	if (error != 0)
		lg_os_descriptor_close(&trace->file);
	return error;
}

static void write_header(struct lg_trace *trace, const struct lg_trace_about *about)
{
	struct lg_trace_header header = {
		.version = LG_TRACE_VERSION,
		.header_bytes = sizeof(header),
		.record_bytes = sizeof(struct lg_trace_record),
		.process = (uint32_t)lg_os_process(),
		.began_unix_ms = lg_os_unix_ms(),
		.budget = about->budget,
		.page_bytes = about->page_bytes,
	};

	memcpy(header.magic, LG_TRACE_MAGIC, sizeof(header.magic));
	snprintf(header.policy, sizeof(header.policy), "%s", about->policy);
	header.check = lg_trace_check(&header, offsetof(struct lg_trace_header, check));
	write_all(trace, &header, sizeof(header));
}

/* While it has a file it is in the list, where a child finds what to close. Under the lock. */
static void list(struct lg_trace *trace)
{
	lg_store_relaxed(&trace->next, lg_load_relaxed(&traces));
	lg_store_release(&traces, trace); /* whole for a child that is forked just now */
}

static void unlist(struct lg_trace *trace)
{
	_Atomic(struct lg_trace *) *at = &traces;

	while (lg_load_relaxed(at) != trace)
		at = &lg_load_relaxed(at)->next;
	lg_store_relaxed(at, lg_load_relaxed(&trace->next));
}

/* Ring, file, thread. Under the lock. */
static int begin(struct lg_trace *trace, const struct lg_trace_about *about)
{
	int error =
		lg_trace_ring_make(&trace->ring, about->slots != 0 ? about->slots : LG_TRACE_SLOTS);

	if (error != 0)
		return lg_fail(-error, "the trace has no memory: %s", lg_error_name(-error));
	list(trace);
	error = open_file(trace);
	if (error != 0)
		goto undo_list;
	write_header(trace, about);
	error = trace->error;
	if (error != 0) {
		lg_fail(-error, "the trace '%s' cannot be written: %s", trace->path,
			lg_error_name(-error));
		goto undo_file;
	}
	error = lg_os_thread_start(run, trace, &trace->thread);
	if (error != 0) {
		lg_fail(-error, "the trace '%s' has no thread: %s", trace->path,
			lg_error_name(-error));
		goto undo_file;
	}
	return 0;
undo_file:
	lg_os_descriptor_close(&trace->file);
undo_list:
	unlist(trace);
	lg_trace_ring_end(&trace->ring);
	return error;
}

int lg_trace_open(const char *path, const struct lg_trace_about *about, struct lg_trace **out)
{
	struct lg_trace *trace;
	void *record;
	int error = lg_os_map_record(sizeof(*trace), &record);

	if (error != 0)
		return lg_fail(-error, "the trace has no memory: %s", lg_error_name(-error));
	trace = record;
	trace->process = lg_os_process();
	trace->file.fd = -1;
	trace->began_ns = lg_os_now_ns();
	trace->says = about->says;
	pthread_mutex_init(&trace->writing, NULL);
	pthread_mutex_lock(&lock);
	if (make_path(path, trace->path))
		error = begin(trace, about);
	else
		error = lg_fail(EINVAL, "the trace's path '%.80s' is empty or too long", path);
	pthread_mutex_unlock(&lock);
	if (error == 0)
		*out = trace;
	else
		lg_os_unreserve(trace, sizeof(*trace));
	return error;
}

int lg_trace_close(struct lg_trace *trace)
{
	if (trace == NULL || trace->process != lg_os_process())
		return 0;
	lg_store_relaxed(&trace->stop, true);
	lg_trace_ring_call(&trace->ring);
	pthread_join(trace->thread, NULL);
	pthread_mutex_lock(&trace->writing); /* the exit may be ending it */
	end(trace);
	lg_os_descriptor_close(&trace->file);
	pthread_mutex_unlock(&trace->writing);
	pthread_mutex_lock(&lock);
	unlist(trace);
	pthread_mutex_unlock(&lock);
	int error = trace->error;
	if (error != 0)
		lg_fail(-error, "the trace '%s' could not be written to its end: %s", trace->path,
			lg_error_name(-error));
	pthread_mutex_destroy(&trace->writing);
	lg_trace_ring_end(&trace->ring);
	lg_os_unreserve(trace, sizeof(*trace));
	return error;
}

const char *lg_trace_path(const struct lg_trace *trace)
{
	return trace->path;
}

void lg_trace_put(struct lg_trace *trace, enum lg_trace_kind kind, uint32_t map, uint64_t page,
		  unsigned shift)
{
	struct lg_trace_record record = {
		.time_ns = now_ns(trace),
		.page = page,
		.map = map,
		.thread = lg_recent_thread(),
		.kind = (uint8_t)kind,
		.shift = (uint8_t)shift,
	};

	(void)lg_trace_ring_put(&trace->ring, &record);
}
