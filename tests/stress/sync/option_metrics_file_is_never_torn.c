/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: who copies metrics_file while it changes gets one of the values, never parts of two.
 * Method: one thread sets values of different lengths, each one letter over and over; two copy it.
 * Oracle: the letter and the length belong together.
 */
#include "stress/clock.h"
#include "stress/crew.h"

#include "base/option.h"

enum { READERS = 2, LETTERS = 26, LENGTH_MAX = 26 * 40 };

static struct crew crew;
static _Atomic(uint64_t) copies;

static size_t length_of(char letter)
{
	return (size_t)(letter - 'a' + 1) * 40;
}

static void copy(struct crew_member *member)
{
	char path[4096];
	uint64_t mine = 0;

	while (!crew_stopped(member)) {
		if (!lg_option_metrics_file(path, sizeof(path)))
			continue; /* it changed again and again meanwhile */
		size_t length = strlen(path);
		char letters[2] = { path[0], '\0' };

		CLAIM(path[0] >= 'a' && path[0] <= 'z');
		CLAIM(length == length_of(path[0]));
		CLAIM(strspn(path, letters) == length);
		mine++;
	}
	atomic_fetch_add(&copies, mine);
}

int main(void)
{
	char text[LENGTH_MAX + 32];
	double end = clock_end_of_run(2);
	uint64_t changes = 0;

	crew_start(&crew, READERS, 0, copy);
	for (; !clock_passed(end); changes++) {
		char letter = (char)('a' + changes * 11 % LETTERS);
		int key = snprintf(text, sizeof(text), "metrics_file:");

		memset(text + key, letter, length_of(letter));
		text[(size_t)key + length_of(letter)] = '\0';
		CLAIM(lg_option_parse(text, true) == 0);
		if (changes % 8 == 0)
			clock_breathe(); /* long enough for whole copies between */
	}
	crew_stop(&crew);
	crew_join(&crew);
	CLAIM(atomic_load(&copies) > 0);
	printf("%llu changes, %llu copies\n", (unsigned long long)changes,
	       (unsigned long long)atomic_load(&copies));
	return 0;
}
