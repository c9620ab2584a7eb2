/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a user without any privilege has a pager that works, in the way that needs none; the other way is
 * refused with the remedy in words, where the system does not permit it; and where a thread blocks SIGBUS, so
 * is the way that would kill it.
 * Method: children that become nobody.
 * Oracle: contents through three times the budget; errno and words.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#define MIB ((size_t)1 << 20)

enum { NOBODY = 65534 };

static atomic_bool ended;

static void become_nobody(void)
{
	if (getuid() == 0) {
		CLAIM(setgid(NOBODY) == 0);
		CLAIM(setuid(NOBODY) == 0);
		prctl(PR_SET_DUMPABLE,
		      1); /* as a program started by that user: its /proc is its own */
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

/* Of the default pager where there is none. */
static void use_map(lg_pager *pager)
{
	lg_map *map = lg_map_memory(pager, 6 * MIB, NULL);

	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	for (size_t i = 0; i < 6 * MIB; i += 4096)
		data[i] = (char)(i >> 12);
	for (size_t i = 0; i < 6 * MIB; i += 4096)
		CLAIM(data[i] == (char)(i >> 12));
	CLAIM(lg_map_close(map) == 0);
}

static void use(const char *options)
{
	lg_pager *pager = lg_pager_new(options);

	CLAIM(pager != NULL);
	use_map(pager);
	CLAIM(lg_pager_free(pager) == 0);
}

static void work_inline(void *options)
{
	become_nobody();
	use(options);
}

static void work_by_default(void *unused)
{
	(void)unused;
	CLAIM(setenv("TMPDIR", "/var/tmp", 1) == 0);
	become_nobody();
	use_map(NULL);
}

static void *fault_all_the_time(void *map)
{
	volatile char *data = lg_map_data(map);

	while (!atomic_load(&ended))
		for (size_t i = 0; i < 6 * MIB; i += 4096)
			data[i]++;
	return NULL;
}

/* While a fault is served its thread has every signal blocked, which is not the program's doing. */
static void work_beside_faults(void *unused)
{
	enum { PAGERS = 100 };
	pthread_t thread;

	(void)unused;
	become_nobody();
	lg_pager *pager = lg_pager_new("memory:2M,page:16K,faults:inline,dir:/var/tmp");
	lg_map *map = lg_map_memory(pager, 6 * MIB, NULL);
	CLAIM(map != NULL);
	CLAIM(pthread_create(&thread, NULL, fault_all_the_time, map) == 0);
	for (unsigned i = 0; i < PAGERS; i++) {
		lg_pager *other = lg_pager_new("memory:1M,page:16K");

		CLAIM(other != NULL);
		CLAIM(lg_pager_free(other) == 0);
	}
	atomic_store(&ended, true);
	CLAIM(pthread_join(thread, NULL) == 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

static void ask_for_threads(void *unused)
{
	(void)unused;
	become_nobody();
	if (may_serve_kernel())
		SKIP("this system lets anybody serve the kernel's faults");
	CLAIM(lg_pager_new("memory:1M,page:16K,faults:threads") == NULL);
	CLAIM(errno == EPERM);
	CLAIM(strstr(lg_error(), "vm.unprivileged_userfaultfd") != NULL);
	CLAIM(strstr(lg_error(), "faults:inline") != NULL);
}

static void block_sigbus(void *unused)
{
	enum { GROUPS = 1000 };
	gid_t groups[GROUPS];
	sigset_t mask;

	(void)unused;
	/* Where the kernel says what is blocked they come first, in one line. */
	for (gid_t i = 0; i < GROUPS; i++)
		groups[i] = 4000000000 + i;
	CLAIM(getuid() != 0 || setgroups(GROUPS, groups) == 0);
	become_nobody();
	if (may_serve_kernel())
		SKIP("this system lets anybody serve the kernel's faults");
	sigemptyset(&mask);
	sigaddset(&mask, SIGBUS);
	CLAIM(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
	CLAIM(lg_pager_new("memory:1M,page:16K") == NULL);
	CLAIM(errno == EPERM);
	CLAIM(strstr(lg_error(), "SIGBUS") != NULL);
	CLAIM(strstr(lg_error(), "with faults:inline") != NULL);
	CLAIM(lg_map_memory(NULL, MIB, NULL) == NULL);
	CLAIM(errno == EPERM);
	CLAIM(lg_file_alloc("/var/tmp/none", MIB) == NULL);
	CLAIM(errno == EPERM);
	lg_pager *pager = lg_pager_new("memory:1M,page:16K,faults:inline");
	CLAIM(pager != NULL);
	CLAIM(lg_pager_free(pager) == 0);
	CLAIM(pthread_sigmask(SIG_UNBLOCK, &mask, NULL) == 0);
	use("memory:2M,page:16K,dir:/var/tmp");
}

/* Who may serves from threads, and the thread that blocks SIGBUS lives. */
static void block_sigbus_with_privilege(void *unused)
{
	sigset_t mask;

	(void)unused;
	if (getuid() != 0)
		SKIP("not root");
	sigemptyset(&mask);
	sigaddset(&mask, SIGBUS);
	CLAIM(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
	use("memory:2M,page:16K,dir:/var/tmp");
	use_map(NULL);
}

int main(void)
{
	child_claim("inline", work_inline, (void *)"memory:2M,page:16K,faults:inline,dir:/var/tmp");
	child_claim("auto", work_inline, (void *)"memory:2M,page:16K,dir:/var/tmp");
	child_claim("as on an older kernel", work_inline,
		    (void *)"memory:2M,page:16K,without:move+poison,dir:/var/tmp");
	child_claim("default", work_by_default, NULL);
	child_claim("beside faults", work_beside_faults, NULL);
	child_claim("threads", ask_for_threads, NULL);
	child_claim("SIGBUS blocked", block_sigbus, NULL);
	child_claim("SIGBUS blocked, as root", block_sigbus_with_privilege, NULL);
	return EXIT_SUCCESS;
}
