/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: where the system does not let regions be paged, lg_region_new says why and what to do, each time it is
 * asked, and nothing else is harmed; where it lets them be in one way, that way works.
 * Method: children that become nobody; children for which userfaultfd(2) is no system call.
 * Oracle: errno and words; contents through four times the budget.
 */
#include "fault/child.h"
#include "stress/stamp.h"
#include "stress/without_call.h"

#include <lgalloc/lgalloc.h>

#include <fcntl.h>
#include <sys/prctl.h>

#define MIB ((size_t)1 << 20)

enum { NOBODY = 65534, REGIONS = 16 };

static const char threads[] = "backing:paged,paged_memory:4M,dir:/var/tmp";
static const char in_thread[] = "backing:paged,paged_memory:4M,faults:inline,dir:/var/tmp";

static void become_nobody(void)
{
	if (getuid() == 0) {
		CLAIM(setgid(NOBODY) == 0);
		CLAIM(setuid(NOBODY) == 0);
		prctl(PR_SET_DUMPABLE, 1); /* as a program started by that user */
	}
	CLAIM(getuid() != 0);
}

static bool may_serve_kernel(void)
{
	int fd = open("/proc/sys/vm/unprivileged_userfaultfd", O_RDONLY | O_CLOEXEC);
	char allowed = '0';

	if (fd >= 0) {
		CLAIM(read(fd, &allowed, 1) == 1);
		close(fd);
	}
	return allowed == '1' || access("/dev/userfaultfd", R_OK | W_OK) == 0;
}

static void claim_refused(int error, const char *word)
{
	for (unsigned i = 0; i < 3; i++) {
		errno = 0;
		CLAIM(lg_region_new(MIB << i) == NULL);
		CLAIM(errno == error);
		if (strstr(lg_error(), word) == NULL)
			fprintf(stderr, "%s\n", lg_error());
		CLAIM(strstr(lg_error(), word) != NULL);
	}
	errno = 0;
	CLAIM(lg_malloc(100) == NULL);
	CLAIM(errno == error);
	CLAIM(lg_trim() == 0);
}

static void use(void)
{
	lg_region *regions[REGIONS];

	for (unsigned i = 0; i < REGIONS; i++) {
		regions[i] = lg_region_new(MIB);
		if (regions[i] == NULL)
			fprintf(stderr, "%s\n", lg_error());
		CLAIM(regions[i] != NULL);
		stamp_write(lg_region_data(regions[i]), MIB, i);
	}
	for (unsigned i = 0; i < REGIONS; i++) {
		CLAIM(stamp_holds(lg_region_data(regions[i]), MIB, i));
		lg_region_free(regions[i]);
	}
	CLAIM(lg_trim() == 0);
}

static void ask_without_privilege(void *unused)
{
	(void)unused;
	become_nobody();
	if (may_serve_kernel())
		SKIP("this system lets anybody serve the kernel's faults");
	CLAIM(lg_configure(threads) == 0);
	claim_refused(EPERM, "faults:inline");
}

static void use_without_privilege(void *unused)
{
	(void)unused;
	become_nobody();
	CLAIM(lg_configure(in_thread) == 0);
	use();
}

static void ask_without_userfaultfd(void *options)
{
	without_call(SYS_userfaultfd);
	CLAIM(lg_configure(options) == 0);
	claim_refused(ENOSYS, "userfaultfd");
}

/* Whoever is not paged does not care. */
static void use_others_without_userfaultfd(void *unused)
{
	(void)unused;
	without_call(SYS_userfaultfd);
	CLAIM(lg_configure("backing:file,dir:/var/tmp") == 0);
	use();
}

int main(void)
{
	child_claim("no privilege, threads", ask_without_privilege, NULL);
	child_claim("no privilege, inline", use_without_privilege, NULL);
	child_claim("no userfaultfd, threads", ask_without_userfaultfd, (void *)(uintptr_t)threads);
	child_claim("no userfaultfd, inline", ask_without_userfaultfd,
		    (void *)(uintptr_t)in_thread);
	child_claim("no userfaultfd, files", use_others_without_userfaultfd, NULL);
	return EXIT_SUCCESS;
}
