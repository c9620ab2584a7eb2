/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/reading.h"

#include "base/error.h"
#include "metrics/pagers.h"
#include "metrics/remote.h"
#include "tool/exposition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every class with every field is some 60 KiB. */
enum { FILE_BYTES_MAX = 4 << 20 };

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
#define LG_ROW(name, kind, help) { #name, offsetof(struct lg_class_stats, name) },
	LG_CLASS_FIELDS(LG_ROW)
#undef LG_ROW
};

enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const char not_a_count[] = "a count that is no whole number from 0 up";

static uint64_t *field_of(struct lg_class_stats *class, size_t field)
{
	return (uint64_t *)(void *)((char *)class + fields[field].offset);
}

/* Of the family's name: without what a counter's samples end in. */
static size_t family_length(const char *name)
{
	size_t length = strlen(name);
	static const char total[] = "_total";

	if (length >= sizeof(total) && strcmp(name + length - (sizeof(total) - 1), total) == 0)
		length -= sizeof(total) - 1;
	return length;
}

/* The field that a family's name, or a state, stands for; FIELDS: none that is known. */
static size_t find_field(const char *name)
{
	size_t length = family_length(name);

	for (size_t i = 0; i < FIELDS; i++)
		if (strlen(fields[i].name) == length && strncmp(fields[i].name, name, length) == 0)
			return i;
	return FIELDS;
}

/* The class of this size, made in its place if it is new; NULL: there is no room. */
static struct lg_class_stats *class_of(struct lg_reading *reading, uint64_t size)
{
	unsigned place = 0;

	while (place < reading->class_count && reading->classes[place].size < size)
		place++;
	struct lg_class_stats *class = &reading->classes[place];
	if (place < reading->class_count && class->size == size)
		return class;
	if (reading->class_count == LG_READING_CLASSES)
		return NULL;
	memmove(class + 1, class, (reading->class_count - place) * sizeof(*class));
	reading->class_count++;
	*class = (struct lg_class_stats){ .size = size };
	return class;
}

static bool take_count(const struct lg_sample *sample, uint64_t *count)
{
	*count = sample->count;
	if (sample->is_count)
		return true;
	if (!(sample->value >= 0 && sample->value < 0x1p64))
		return false;
	*count = (uint64_t)sample->value;
	return true;
}

/* As the library writes names; others could be anything, and a terminal takes it for more than a name. */
static bool is_name(const char *text, size_t room)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t length = strspn(text, plain);

	return length > 0 && length < room && text[length] == '\0';
}

/* The pager of this name, made if it is new; NULL: there is no room, or it is no name. */
static struct lg_roster_entry *pager_of(struct lg_reading *reading, const char *name)
{
	if (!is_name(name, sizeof(reading->pagers[0].name)))
		return NULL;
	for (unsigned i = 0; i < reading->pager_count; i++)
		if (strcmp(reading->pagers[i].name, name) == 0)
			return &reading->pagers[i];
	if (reading->pager_count == LG_READING_PAGERS)
		return NULL;
	struct lg_roster_entry *pager = &reading->pagers[reading->pager_count++];
	*pager = (struct lg_roster_entry){ .page_bytes = 0 };
	strcpy(pager->name, name);
	return pager;
}

/* What its labels say of a pager. */
static void take_pager_info(struct lg_roster_entry *pager, const struct lg_sample *sample)
{
	const char *policy = lg_sample_label(sample, "policy"),
		   *page = lg_sample_label(sample, "page"),
		   *faults = lg_sample_label(sample, "faults");

	strcpy(pager->policy,
	       policy != NULL && is_name(policy, sizeof(pager->policy)) ? policy : "-");
	pager->page_bytes = page != NULL ? strtoull(page, NULL, 10) : 0;
	pager->in_threads = faults != NULL && strcmp(faults, "threads") == 0;
}

static void add_at(void *record, size_t offset, uint64_t count)
{
	char *at = (char *)record + offset;
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	value += count;
	memcpy(at, &value, sizeof(value));
}

/* NULL, or what is wrong with it. */
static const char *take_pager_sample(struct lg_reading *reading, const char *name,
				     const struct lg_sample *sample)
{
	bool is_info = strcmp(name, "pager_info") == 0;
	size_t offset = 0;
	uint64_t count;

	if (!is_info && !lg_pagers_find(name, family_length(name), &offset))
		return NULL;
	if (!take_count(sample, &count))
		return not_a_count;
	struct lg_roster_entry *pager = pager_of(reading, lg_sample_label(sample, "pager"));
	if (pager == NULL) {
		reading->pagers_left_out += is_info;
		return NULL;
	}
	if (is_info) {
		take_pager_info(pager, sample);
		return NULL;
	}
	add_at(&pager->stats, offset, count);
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *take_sample(struct lg_reading *reading, const struct lg_sample *sample)
{
	const char *name = sample->name + strlen("lgalloc_");
	const char *size = lg_sample_label(sample, "class");
	uint64_t *total = size != NULL                        ? NULL :
			  strcmp(name, "threads") == 0        ? &reading->threads :
			  strcmp(name, "reserved_bytes") == 0 ? &reading->reserved_bytes :
								NULL;
	size_t offset;
	uint64_t count;

	if (lg_sample_label(sample, "pager") != NULL)
		return take_pager_sample(reading, name, sample);
	if (lg_remote_find(name, family_length(name), &offset)) {
		if (!take_count(sample, &count))
			return not_a_count;
		add_at(&reading->remote, offset, count);
		return NULL;
	}
	if (strcmp(name, "regions") == 0)
		name = lg_sample_label(sample, "state");
	size_t field = name != NULL ? find_field(name) : FIELDS;
	if (total == NULL && (size == NULL || field == FIELDS))
		return NULL;
	if (!take_count(sample, &count))
		return not_a_count;
	if (total != NULL) {
		*total += count;
		return NULL;
	}
	if (strspn(size, "0123456789") != strlen(size) || strlen(size) - 1 >= 19)
		return "a class that is no size in bytes";
	struct lg_class_stats *class = class_of(reading, strtoull(size, NULL, 10));
	if (class == NULL)
		return "more classes than there are powers of two";
	*field_of(class, field) += count;
	*field_of(&reading->totals, field) += count;
	return NULL;
}

int lg_reading_parse(char *text, size_t length, struct lg_reading *reading)
{
	struct lg_exposition exposition;
	struct lg_sample sample;
	enum lg_exposition_step step;
	bool is_ours = false;

	*reading = (struct lg_reading){ .written_ns = 0 };
	lg_exposition_begin(&exposition, text, length);
	while ((step = lg_exposition_next(&exposition, &sample)) == LG_EXPOSITION_SAMPLE) {
		if (strncmp(sample.name, "lgalloc_", strlen("lgalloc_")) != 0)
			continue;
		is_ours = true;
		exposition.reason = take_sample(reading, &sample);
		if (exposition.reason != NULL) {
			step = LG_EXPOSITION_WRONG;
			break;
		}
	}
	if (step == LG_EXPOSITION_WRONG)
		return lg_fail(EINVAL, "no metrics of lgalloc: line %u: %s", exposition.line,
			       exposition.reason);
	if (!is_ours)
		return lg_fail(EINVAL, "no metrics of lgalloc: no line of it begins with lgalloc_");
	for (unsigned i = 0; i < reading->class_count; i++)
		reading->classes[i].cached =
			reading->classes[i].in_magazines + reading->classes[i].in_deques;
	reading->totals.cached = reading->totals.in_magazines + reading->totals.in_deques;
	for (unsigned i = 0; i < reading->pager_count; i++) {
		struct lg_pager_stats *stats = &reading->pagers[i].stats;

		stats->errors = stats->read_errors + stats->write_errors;
	}
	return 0;
}

/* What the descriptor holds, or NULL with -errno in *error. */
static char *read_all(int fd, size_t *length, int *error)
{
	char *text = malloc(FILE_BYTES_MAX + 1);
	ssize_t got = 1;

	*error = -ENOMEM;
	for (*length = 0; text != NULL && got != 0 && *length < FILE_BYTES_MAX;) {
		got = read(fd, text + *length, FILE_BYTES_MAX - *length);
		if (got > 0)
			*length += (size_t)got;
		if (got >= 0 || errno == EINTR)
			continue;
		*error = -errno;
		free(text);
		return NULL;
	}
	return text;
}

int lg_reading_read(const char *path, struct lg_reading *reading)
{
	/* A FIFO that nobody writes must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	size_t length = 0;
	char *text = NULL;
	int error;

	if (fd < 0 || fstat(fd, &status) != 0) {
		error = lg_fail(errno, "%s", strerror(errno));
		goto out;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > FILE_BYTES_MAX) {
		error = lg_fail(EINVAL, "no metrics of lgalloc: %s",
				S_ISREG(status.st_mode) ? "far too large" : "no regular file");
		goto out;
	}
	text = read_all(fd, &length, &error);
	if (text == NULL) {
		lg_fail(-error, "%s", strerror(-error));
		goto out;
	}
	error = lg_reading_parse(text, length, reading);
	reading->written_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return error;
}
