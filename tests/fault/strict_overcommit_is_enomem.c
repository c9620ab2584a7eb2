/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: where the kernel grants only memory it has (vm.overcommit_memory 2), the library starts, its
 * tables and reservations cost almost none of the grant, and what is beyond it is ENOMEM from the call
 * that hands out memory, never a kill. A pager costs what its budget and its maps are.
 * Method: root switches the machine to mode 2 with a grant of some GiB above what is committed, for
 * the time of the test, alone (ctest RUN_SERIAL); children take and write regions until refused. The
 * settings are put back whatever happens, also on SIGINT, SIGTERM and a failed claim.
 * Oracle: errno, wait status, stamps, Committed_AS before and after the library's start.
 */
#include "fault/child.h"
#include "fault/exhaust.h"
#include "stress/account.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <lgalloc/pager.h>

#include <fcntl.h>

enum { REGIONS_MAX = 1 << 14 };
#define GRANT_KIB ((unsigned long long)3 << 20) /* above what is committed: 3 GiB */
#define START_KIB_MOST ((unsigned long long)96 << 10)
#define PAGER_KIB_MOST ((unsigned long long)320 << 10) /* budget, buffers, stacks */

static const char *const settings[] = { "/proc/sys/vm/overcommit_ratio",
					"/proc/sys/vm/overcommit_kbytes",
					"/proc/sys/vm/overcommit_memory" };
static char saved[3][32];
static pid_t changer;
static lg_region *regions[REGIONS_MAX];

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool wrote;

	if (fd < 0)
		return false;
	wrote = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return wrote;
}

static void save(void)
{
	for (unsigned i = 0; i < 3; i++) {
		int fd = open(settings[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, saved[i], sizeof(saved[i]) - 1) <= 0)
			SKIP("%s cannot be read", settings[i]);
		close(fd);
	}
}

/* Of ratio and kbytes the last one written counts, and only one is not 0. Signal-safe. */
static void restore(void)
{
	write_text(settings[2], saved[2]);
	write_text(settings[0], saved[0]);
	if (saved[1][0] != '0')
		write_text(settings[1], saved[1]);
}

/* A child inherits the handlers, but what it breaks is not its to mend. */
static void restore_and_die(int signal_number)
{
	if (getpid() == changer)
		restore();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static unsigned long long meminfo_kib(const char *name)
{
	FILE *meminfo = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	CLAIM(meminfo != NULL);
	while (fgets(line, sizeof(line), meminfo))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtoull(line + strlen(name) + 1, NULL, 10);
	fclose(meminfo);
	return kib;
}

static void exhaust_once(size_t bytes)
{
	unsigned count = exhaust(bytes, ENOMEM);

	CLAIM(count > 0);
	exhaust_give_back(bytes, count);
	CLAIM(lg_trim() == 0);
}

static void live_anon(void *unused)
{
	unsigned long long before = meminfo_kib("Committed_AS:");
	unsigned long long after;

	(void)unused;
	CLAIM(lg_configure("backing:anon,retire_delay:0") == 0);
	lg_region_free(lg_region_new(4096));
	after = meminfo_kib("Committed_AS:");
	fprintf(stdout, "the start commits %lld KiB\n", (long long)(after - before));
	CLAIM(after < before + START_KIB_MOST);
	/* The grant is 3 GiB: areas of any size must come and go within it. */
	exhaust_once((size_t)1 << 20);
	exhaust_once((size_t)16 << 20);
	exhaust_once((size_t)256 << 20);
	exhaust_once((size_t)1 << 20);
	account_claim_nothing_lost();
}

/* A shared file mapping needs no grant; only the tables do. */
static void live_file(void *unused)
{
	(void)unused;
	CLAIM(lg_configure("backing:file") == 0);
	for (unsigned i = 0; i < 64; i++) {
		regions[i] = lg_region_new((size_t)64 << 20);
		CLAIM(regions[i] != NULL);
		stamp_write(lg_region_data(regions[i]), (size_t)64 << 20, i);
	}
	for (unsigned i = 0; i < 64; i++) {
		CLAIM(stamp_holds(lg_region_data(regions[i]), (size_t)64 << 20, i));
		lg_region_free(regions[i]);
	}
	account_claim_nothing_lost();
}

/* A map counts in full; what is beyond the grant is refused in words. */
static void live_paging(void *options)
{
	const size_t mib = (size_t)1 << 20, bytes = 256 * mib;
	unsigned long long before = meminfo_kib("Committed_AS:"), after;
	lg_pager *pager = lg_pager_new(options);

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, bytes, "reserve:lazy");
	CLAIM(map != NULL);
	after = meminfo_kib("Committed_AS:");
	fprintf(stdout, "%s commits %lld KiB\n", (const char *)options,
		(long long)(after - before));
	CLAIM(after < before + (bytes >> 10) + PAGER_KIB_MOST);
	uint64_t *words = lg_map_data(map);
	for (size_t i = 0; i < bytes / sizeof(*words); i += 512)
		words[i] = i;
	for (size_t i = 0; i < bytes / sizeof(*words); i += 512)
		CLAIM(words[i] == i);
	CLAIM(lg_map_memory(pager, 8192 * mib, "reserve:lazy") == NULL);
	CLAIM(errno == ENOMEM);
	CLAIM(strstr(lg_error(), "overcommit") != NULL);
	CLAIM(lg_pager_resize(pager, 16 * mib) == 0);
	CLAIM(lg_pager_resize(pager, 32 * mib) == 0);
	CLAIM(lg_pager_resize(pager, 64 * mib) == -EINVAL);
	CLAIM(strstr(lg_error(), "made for") != NULL);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
}

/* All claims are made in this child, so that the parent always comes back to restore. */
static void be_strict(void *unused)
{
	(void)unused;
	child_claim("live_anon", live_anon, NULL);
	child_claim("live_file", live_file, NULL);
	child_claim("live_paging", live_paging, (void *)(uintptr_t) "memory:32M,faults:inline");
	child_claim("live_paging", live_paging, (void *)(uintptr_t) "memory:32M,faults:threads");
	child_claim("live_paging", live_paging,
		    (void *)(uintptr_t) "memory:32M,page:2M,faults:inline");
}

int main(void)
{
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGABRT, SIGSEGV, SIGALRM };
	unsigned long long grant_kib;
	struct child_end end;
	char grant[32];

	if (geteuid() != 0)
		SKIP("only root may change the machine's overcommit mode");
	save();
	changer = getpid();
	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], restore_and_die);
	grant_kib = meminfo_kib("Committed_AS:") + GRANT_KIB;
	if (grant_kib <= meminfo_kib("SwapTotal:"))
		SKIP("the swap alone grants more than is committed");
	snprintf(grant, sizeof(grant), "%llu", grant_kib - meminfo_kib("SwapTotal:"));
	if (!write_text(settings[1], grant) || !write_text(settings[2], "2")) {
		restore();
		SKIP("the overcommit mode cannot be changed here");
	}
	end = child_try(be_strict, NULL);
	restore();
	if (child_ended_well(&end))
		return EXIT_SUCCESS;
	child_print("be_strict", &end);
	return EXIT_FAILURE;
}
