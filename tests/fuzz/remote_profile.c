/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Any file of AWS's tools: the section's name, the key, and the file, each behind a line's end. Claims: a value that is
 * found is in the file, on one line, and fits; where none is, nothing is changed. The same through the file system.
 */
#include "fuzz/must.h"
#include "remote/profile.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUE_BYTES = 64 };

static int file;
static char path[64];

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count, (void)arguments;
	file = memfd_create("profile", MFD_CLOEXEC);
	MUST(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return 0;
}

static void check_value(const char *value, const char *text, size_t length)
{
	size_t most = strnlen(value, VALUE_BYTES);

	MUST(most < VALUE_BYTES && is_one_line(value));
	MUST(most == 0 || memmem(text, length, value, most) != NULL);
}

/* What is read is what was written, and so is what is found there. */
static void check_file(const char *text, size_t length, const char *section, const char *key,
		       const char *expected)
{
	struct lg_profile profile;
	char value[VALUE_BYTES] = "";

	MUST(ftruncate(file, 0) == 0 && pwrite(file, text, length, 0) == (ssize_t)length);
	MUST(lg_profile_read(path, &profile) == 0);
	MUST(profile.length == length && memcmp(profile.text, text, length) == 0);
	if (lg_profile_find(profile.text, profile.length, section, key, value, sizeof(value)))
		MUST(expected != NULL && strcmp(value, expected) == 0);
	else
		MUST(expected == NULL);
	lg_profile_end(&profile);
	MUST(profile.text == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *section = next_line(&data, &size), *key = next_line(&data, &size);
	char value[VALUE_BYTES], before[VALUE_BYTES];
	char *text = malloc(size + (size == 0));

	MUST(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	memset(before, 0x5a, sizeof(before));
	memcpy(value, before, sizeof(value));
	bool found = lg_profile_find(text, size, section, key, value, sizeof(value));
	if (found)
		check_value(value, text, size);
	else
		MUST(memcmp(value, before, sizeof(value)) == 0);
	check_file(text, size, section, key, found ? value : NULL);
	free(text);
	free(section);
	free(key);
	return 0;
}
