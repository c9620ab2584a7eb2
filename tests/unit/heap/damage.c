/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A journal whose bits changed after the commit: refused where something committed is behind it, looked at and mended by
 * check. The heap: an object that each commit changes, and one for each commit that only it changes.
 */
#include "heap/format.h"
#include "heap/heap.h"
#include "unit/heap/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* LAPS commits go through the ring, which is 1 MiB, some times. */
enum { COMMITS = 6, LAPS = 200, PAGE = 4096 };

struct objects {
	lg_ref always;
	lg_ref once[COMMITS + 1];
};

static struct objects objects;

static void change(int commit)
{
	*(int *)lg_heap_at(heap, objects.always) = commit;
	*(int *)lg_heap_at(heap, objects.once[commit]) = commit;
}

static void allocate(void)
{
	objects.always = lg_heap_ref(heap, lg_heap_calloc(heap, 1, PAGE));
	for (int i = 1; i <= COMMITS; i++)
		objects.once[i] = lg_heap_ref(heap, lg_heap_calloc(heap, 1, PAGE));
	struct objects *kept = lg_heap_alloc(heap, sizeof(objects));
	*kept = objects;
	assert_int_equal(lg_heap_root_set(heap, "objects", lg_heap_ref(heap, kept)), 0);
}

/* Commits, and dies: nothing is written home, since no thread does it. `rounds` more come first, through the ring. */
static void commit_and_die(int rounds)
{
	static const struct lg_heap_setup foreground = { .ops = &lg_os_disk_plain,
							 .foreground = true };
	int status;

	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
	pid_t child = fork();
	if (child == 0) {
		heap = lg_heap_open_with(heap_path, "reserve:1G", &foreground);
		if (heap == NULL)
			_exit(1);
		allocate();
		for (int i = 0; i < rounds; i++) {
			*(int *)lg_heap_at(heap, objects.always) = -i;
			if (lg_heap_commit(heap) != 0)
				_exit(1);
		}
		for (int i = 1; i <= COMMITS; i++) {
			change(i);
			if (lg_heap_commit(heap) != 0)
				_exit(1);
		}
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static int file = -1;
static struct lg_super super;

static void read_super(void)
{
	struct lg_super two[2];

	file = open(heap_path, O_RDWR | O_CLOEXEC);
	assert_true(file >= 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pread(file, &two[i], sizeof(two[i]), i * PAGE), sizeof(two[i]));
	super = two[two[0].write > two[1].write ? 0 : 1];
	assert_int_equal(super.segments, 1);
}

/* Where in the file the n-th of the last COMMITS records begins. */
static off_t record_at(int commit, struct lg_record_header *header)
{
	uint64_t at = super.tail, last = 0;
	off_t found[1024];
	int count = 0;

	for (;;) {
		off_t offset = (off_t)(super.segment[0].offset + at);

		assert_int_equal(pread(file, header, sizeof(*header), offset), sizeof(*header));
		if (header->magic != LG_RECORD_MAGIC || header->salt != super.salt ||
		    header->sequence < super.tail_sequence || header->sequence <= last)
			break;
		last = header->sequence;
		assert_true(count < 1024);
		found[count++] = offset;
		at = (at +
		      ((uint64_t)header->header_pages + header->pages - header->homes) * PAGE) %
		     super.segment[0].bytes;
	}
	assert_true(count >= COMMITS);
	off_t offset = found[count - COMMITS + commit - 1];
	assert_int_equal(pread(file, header, sizeof(*header), offset), sizeof(*header));
	return offset;
}

/* Where in the file the image of an object is that this commit changed. */
static off_t image_at(int commit, lg_ref ref)
{
	struct lg_record_header header;
	off_t record = record_at(commit, &header);

	for (uint32_t i = 0; i < header.pages - header.homes; i++) {
		struct lg_record_entry entry;

		assert_int_equal(pread(file, &entry, sizeof(entry),
				       record + (off_t)(sizeof(header) + i * sizeof(entry))),
				 sizeof(entry));
		if (entry.page == ref / PAGE)
			return (off_t)(super.segment[0].offset +
				       ((uint64_t)record - super.segment[0].offset +
					(header.header_pages + (uint64_t)i) * PAGE) %
					       super.segment[0].bytes);
	}
	fail_msg("commit %d has no image of page %llu", commit, (unsigned long long)ref / PAGE);
	return 0;
}

static void flip(off_t offset)
{
	unsigned char byte;

	assert_int_equal(pread(file, &byte, 1, offset), 1);
	byte ^= 16;
	assert_int_equal(pwrite(file, &byte, 1, offset), 1);
}

static void zero_page(off_t offset)
{
	static const char zeros[PAGE];

	assert_int_equal(pwrite(file, zeros, PAGE, offset), PAGE);
}

/* By a reader with the refs of the last commit: the heap has been opened once without its journal being written home. */
static void damaged_heap(int rounds)
{
	commit_and_die(rounds);
	lg_heap *reader = lg_heap_open(heap_path, "readonly:on,reserve:1G");
	assert_non_null(reader);
	objects = *(struct objects *)lg_heap_at(reader, lg_heap_root_get(reader, "objects"));
	assert_int_equal(lg_heap_close(reader), 0);
	read_super();
}

static void refused(const char *words)
{
	static const char *const options[] = { NULL, "readonly:on", "create:on" };
	struct stat before, after;

	assert_int_equal(fstat(file, &before), 0);
	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		errno = 0;
		assert_null(lg_heap_open(heap_path, options[i]));
		assert_int_equal(errno, EUCLEAN);
		if (strstr(lg_error(), words) == NULL)
			fail_msg("'%s' does not say '%s'", lg_error(), words);
	}
	assert_int_equal(fstat(file, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

/* What check says without changing anything, and with a repair; both count the same. */
static void checked(const char *words, bool repair)
{
	struct stat before, after;
	char *text = NULL;
	size_t length;
	FILE *report = open_memstream(&text, &length);

	assert_int_equal(fstat(file, &before), 0);
	int findings = lg_heap_check(heap_path, repair ? LG_HEAP_REPAIR : 0, report);
	assert_int_equal(fclose(report), 0);
	if (findings < 1 || strstr(text, words) == NULL)
		fail_msg("%d findings, without '%s': %s (%s)", findings, words, text, lg_error());
	free(text);
	assert_int_equal(fstat(file, &after), 0);
	if (!repair)
		assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void is_at(int commit)
{
	heap = lg_heap_open(heap_path, "reserve:1G");
	if (heap == NULL)
		fail_msg("%s", lg_error());
	assert_int_equal(*(int *)lg_heap_at(heap, objects.always), commit);
	for (int i = 1; i <= COMMITS; i++)
		assert_int_equal(*(int *)lg_heap_at(heap, objects.once[i]), i <= commit ? i : 0);
}

/* It is a heap as any other again. */
static void goes_on(int commit)
{
	is_at(commit);
	for (int i = 1; i <= COMMITS; i++)
		change(i);
	assert_int_equal(lg_heap_commit(heap), 0);
	assert_int_equal(lg_heap_close(heap), 0);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	is_at(COMMITS);
	assert_int_equal(lg_heap_close(heap), 0);
	heap = NULL;
}

static int close_file(void **state)
{
	if (file >= 0)
		close(file);
	file = -1;
	return heap_teardown(state);
}

static void a_whole_journal_is_replayed(void **state)
{
	(void)state;
	damaged_heap(0);
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	is_at(COMMITS);
}

static void a_bad_image_that_a_later_commit_has_is_not_missed(void **state)
{
	(void)state;
	damaged_heap(0);
	flip(image_at(3, objects.always) + 100);
	refused("commit 3 is damaged in its journal, and commit 4 follows it");
	checked("nothing of it is missed", false);
	checked("nothing of it is missed", true);
	goes_on(COMMITS);
}

static void a_bad_image_that_is_home_is_not_missed(void **state)
{
	char image[PAGE];

	(void)state;
	damaged_heap(0);
	off_t at = image_at(3, objects.once[3]);
	assert_int_equal(pread(file, image, PAGE, at), PAGE);
	assert_int_equal(pwrite(file, image, PAGE, (off_t)objects.once[3]), PAGE);
	flip(at);
	refused("commit 3 is damaged");
	checked("nothing of it is missed", true);
	goes_on(COMMITS);
}

static void a_bad_image_that_is_missed_goes_back(void **state)
{
	(void)state;
	damaged_heap(0);
	flip(image_at(3, objects.once[3]) + PAGE - 1);
	refused("commit 3 is damaged in its journal, and commit 4 follows it");
	checked("a repair goes back to commit 2", false);
	refused("commit 3 is damaged");
	checked("a repair goes back to commit 2", true);
	goes_on(2);
}

static void a_bad_header_goes_back(void **state)
{
	static const off_t places[] = { 0, 9, 17, 25, 29, 40, 61, 64, 72, PAGE - 1 };

	(void)state;
	damaged_heap(0);
	struct lg_record_header header;
	off_t record = record_at(4, &header);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		flip(record + places[i]);
		refused("commit 4 is damaged in its journal, and commit 5 follows it");
		flip(record + places[i]);
	}
	zero_page(record);
	refused("commit 4 is damaged in its journal, and commit 5 follows it");
	checked("a repair goes back to commit 3", true);
	goes_on(3);
}

static void two_bad_records_go_back_to_before_the_first(void **state)
{
	struct lg_record_header header;

	(void)state;
	damaged_heap(0);
	flip(image_at(2, objects.once[2]));
	zero_page(record_at(4, &header));
	refused("commit 2 is damaged");
	checked("a repair goes back to commit 1", true);
	goes_on(1);
}

/* The first record is damaged: the heap goes back to the image that is in place. */
static void a_bad_first_record_goes_back_to_the_image(void **state)
{
	(void)state;
	damaged_heap(0);
	struct lg_record_header header;
	zero_page(record_at(1, &header));
	refused("commit 1 is damaged in its journal, and commit 2 follows it");
	checked("a repair goes back to commit 0", true);
	heap = lg_heap_open(heap_path, "reserve:1G");
	assert_non_null(heap);
	assert_int_equal(lg_heap_root_get(heap, "objects"), 0);
	assert_int_equal(heap_objects(), 0);
}

/* A crash does that too: the commit is not there, and nobody can know that it was. */
static void a_bad_last_record_is_torn(void **state)
{
	(void)state;
	damaged_heap(0);
	flip(image_at(COMMITS, objects.once[COMMITS]));
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	goes_on(COMMITS - 1);
}

/* What earlier rounds left in the ring is no later record, nor hides one. */
static void earlier_rounds_mean_nothing(void **state)
{
	(void)state;
	damaged_heap(LAPS);
	assert_true(super.tail_sequence > 100);
	flip(image_at(4, objects.once[4]));
	refused(" follows it");
	checked("a repair goes back", false);
	flip(image_at(4, objects.once[4]));
	assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
	struct lg_record_header header;
	flip(record_at(COMMITS, &header) + 70);
	goes_on(COMMITS - 1);
}

/* Whatever was committed last, and wherever the ring is: the other copy of the superblock leads to it. */
static void either_superblock_leads_to_all_commits(void **state)
{
	static const struct {
		off_t place;
		int rounds;
	} cases[] = { { 0, 0 }, { PAGE, 0 }, { 0, LAPS }, { PAGE, LAPS } };

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		damaged_heap(cases[i].rounds);
		if (cases[i].rounds > 0)
			assert_true(super.tail_sequence > 100);
		flip(cases[i].place + 50);
		assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
		is_at(COMMITS);
		/* The first write is of the one that has rotted, so that there is always one. */
		assert_int_equal(lg_heap_commit(heap), 0);
		assert_int_equal(lg_heap_close(heap), 0);
		assert_int_equal(lg_heap_check(heap_path, 0, NULL), 0);
		flip(PAGE - cases[i].place + 50);
		is_at(COMMITS);
		assert_int_equal(lg_heap_close(heap), 0);
		assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), 1);
		flip(cases[i].place + 50);
		is_at(COMMITS);
		close(file);
	}
	file = -1;
}

static void without_a_superblock_nothing_is_opened(void **state)
{
	(void)state;
	damaged_heap(0);
	flip(50);
	flip(PAGE + 50);
	assert_null(lg_heap_open(heap_path, "create:on"));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lg_heap_check(heap_path, LG_HEAP_REPAIR, NULL), -EINVAL);
	flip(50);
	is_at(COMMITS);
}

#define DAMAGE_TEST(test) cmocka_unit_test_setup_teardown(test, heap_setup, close_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DAMAGE_TEST(a_whole_journal_is_replayed),
		DAMAGE_TEST(a_bad_image_that_a_later_commit_has_is_not_missed),
		DAMAGE_TEST(a_bad_image_that_is_home_is_not_missed),
		DAMAGE_TEST(a_bad_image_that_is_missed_goes_back),
		DAMAGE_TEST(a_bad_header_goes_back),
		DAMAGE_TEST(two_bad_records_go_back_to_before_the_first),
		DAMAGE_TEST(a_bad_first_record_goes_back_to_the_image),
		DAMAGE_TEST(a_bad_last_record_is_torn),
		DAMAGE_TEST(earlier_rounds_mean_nothing),
		DAMAGE_TEST(either_superblock_leads_to_all_commits),
		DAMAGE_TEST(without_a_superblock_nothing_is_opened),
	};

	return UNIT_RUN(tests);
}
