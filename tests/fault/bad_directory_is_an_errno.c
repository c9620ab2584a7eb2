/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a directory in which no backing file can be made is an errno and a line in lg_error() that
 * names it, from the allocating call; nothing else happens, and the program may then choose another.
 * Method: children with a missing directory, a file, a directory without permission (as another user),
 * a read-only file system, and one that cannot reserve blocks; by option and by TMPDIR.
 * Oracle: errno, lg_error(), an empty stderr, and success after lg_configure with a good directory.
 */
#include "fault/child.h"
#include "fault/disk.h"
#include "stress/account.h"
#include "stress/stamp.h"

#include <grp.h>

struct place {
	const char *directory;
	int error;
	bool by_environment;
	const char *kind; /* of the file system to make, or NULL */
};

static void use(void)
{
	lg_region *region = lg_region_new(100000);

	CLAIM(region != NULL);
	stamp_write(lg_region_data(region), lg_region_size(region), 1);
	CLAIM(stamp_holds(lg_region_data(region), lg_region_size(region), 1));
	lg_region_free(region);
	account_claim_nothing_lost();
}

static void claim_refused(const char *directory, int error)
{
	for (unsigned i = 0; i < 3; i++) {
		errno = 0;
		CLAIM(lg_region_new((size_t)4096 << i) == NULL);
		CLAIM(errno == error);
		CLAIM(strstr(lg_error(), directory) != NULL);
		CLAIM(strchr(lg_error(), '\n') == NULL);
	}
}

static void choose(const struct place *place)
{
	char option[256];

	if (place->by_environment) {
		CLAIM(setenv("TMPDIR", place->directory, 1) == 0);
		return;
	}
	snprintf(option, sizeof(option), "dir:%s", place->directory);
	CLAIM(lg_configure(option) == 0);
}

static void be_refused(void *argument)
{
	const struct place *place = argument;

	choose(place);
	claim_refused(place->directory, place->error);
	CLAIM(lg_configure("dir:/var/tmp") == 0);
	use();
}

static void be_nobody_and_refused(void *argument)
{
	CLAIM(setgroups(0, NULL) == 0);
	CLAIM(setgid(65534) == 0);
	CLAIM(setuid(65534) == 0);
	be_refused(argument);
}

static void be_refused_by_a_read_only_disk(void *argument)
{
	struct place place = *(const struct place *)argument;
	struct disk disk;

	disk_open_tmpfs(&disk, "size=1M,ro");
	place.directory = disk.path;
	be_refused(&place);
}

/* A file system without fallocate would mean SIGBUS when it is full: only reserve:off accepts that. */
static void be_refused_without_reservation(void *argument)
{
	struct place place = *(const struct place *)argument;
	struct disk disk;
	char option[128];

	disk_open(&disk, place.kind, (size_t)64 << 20);
	place.directory = disk.path;
	choose(&place);
	claim_refused(disk.path, EOPNOTSUPP);
	snprintf(option, sizeof(option), "dir:%s,reserve:off", disk.path);
	CLAIM(lg_configure(option) == 0);
	use();
}

static bool claim_quietly(const char *what, void (*body)(void *), struct place place)
{
	struct child_end end = child_try(body, &place);

	if (child_skipped(&end)) {
		child_print(what, &end);
		return false;
	}
	if (child_ended_well(&end) && end.length == 0)
		return true;
	child_print(what, &end);
	BROKEN("a bad directory is an errno and nothing on stderr");
}

static char secret[] = "/var/tmp/lgalloc-test.XXXXXX";
static char file[] = "/var/tmp/lgalloc-test-file.XXXXXX";

static void try_all(void *unused)
{
	char missing[64];
	bool all = true;

	(void)unused;
	snprintf(missing, sizeof(missing), "%s/missing", secret);
	for (unsigned by = 0; by < 2; by++) {
		claim_quietly("missing", be_refused, (struct place){ missing, ENOENT, by, NULL });
		claim_quietly("a file", be_refused, (struct place){ file, ENOTDIR, by, NULL });
		if (geteuid() != 0)
			continue;
		claim_quietly("secret", be_nobody_and_refused,
			      (struct place){ secret, EACCES, by, NULL });
		all &= claim_quietly("read-only", be_refused_by_a_read_only_disk,
				     (struct place){ NULL, EROFS, by, NULL });
	}
	if (geteuid() == 0) {
		all &= claim_quietly("without fallocate", be_refused_without_reservation,
				     (struct place){ NULL, EOPNOTSUPP, false, "ext2" });
	} else {
		CLAIM(chmod(secret, 0) == 0);
		claim_quietly("secret", be_refused, (struct place){ secret, EACCES, false, NULL });
	}
	if (!all)
		exit(EXIT_SKIPPED);
}

/* The tries are made in a child, so that the parent always comes back to clean up. */
int main(void)
{
	bool all;
	int fd = mkostemp(file, O_CLOEXEC);
	struct child_end end;

	CLAIM(fd >= 0);
	close(fd);
	CLAIM(mkdtemp(secret) != NULL);
	end = child_try(try_all, NULL);
	unlink(file);
	rmdir(secret);
	all = child_ended_well(&end);
	if (!all)
		child_print("try_all", &end);
	return all ? EXIT_SUCCESS : child_skipped(&end) ? EXIT_SKIPPED : EXIT_FAILURE;
}
