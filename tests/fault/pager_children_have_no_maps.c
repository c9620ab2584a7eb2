/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: in a child of fork a map is SIGSEGV and never zeros, wherever its page is, and nothing that the child maps comes to lie
 * there; calls say ECHILD; the child may have a pager of its own; exec and posix_spawn work; the rings through which the writers send many pages at
 * once are not the child's; and nothing of this disturbs the parent.
 * Method: a child for each kind of page, in both ways to serve faults; one that has its parent's process number, as
 * each of them is the first of a namespace.
 * Oracle: wait statuses, and the parent's bytes afterwards, also those that are in the store.
 */
#include "fault/child.h"
#include "stress/random.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define MIB ((size_t)1 << 20)

extern char **environ;

static lg_pager *pager;
static lg_map *map, *theirs;
static char *data, *file;
static struct shelf shelf;

enum { BYTES = 6 << 20, BAD = 4 << 20 }; /* theirs: more than a page, whatever its size */

static void touch(void *at)
{
	volatile char byte = *(volatile char *)at;

	fprintf(stderr, "it is %d\n", byte);
}

static void write_to(void *at)
{
	*(volatile char *)at = 1;
}

static void claim_segv(const char *what, void (*body)(void *), size_t offset)
{
	struct child_end end = child_try(body, data + offset);

	if (!child_died_of(&end, SIGSEGV)) {
		child_print(what, &end);
		BROKEN("a child of fork ends by SIGSEGV");
	}
}

/* The kernel takes a hint where nothing is. */
static void map_something_there(void *at)
{
	void *got = mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CLAIM(got != MAP_FAILED);
	CLAIM(got != at);
}

static void claim_kept(void *at)
{
	child_claim("what a child maps", map_something_there, at);
}

/* Memory of somebody's who was there before the library is no reason to leave the rest. */
static void claim_kept_round_a_neighbour(void)
{
	CLAIM(madvise(data + 5 * MIB, 4096, MADV_DOFORK) == 0);
	claim_kept(data);
	claim_kept(data + 5 * MIB - 16384);
	claim_kept(data + 5 * MIB + 16384);
	claim_kept(data + 8 * MIB - 4096);
	claim_segv("a page in a map that has a neighbour", touch, 0);
	CLAIM(madvise(data + 5 * MIB, 4096, MADV_DONTFORK) == 0);
}

/* Where a page cannot be poisoned there is a mapping of another kind. */
static void claim_unreadable_kept(void)
{
	char *at = (char *)lg_map_data(theirs) + BAD, byte;

	atomic_store(&shelf.bad_from, BAD);
	atomic_store(&shelf.bad_to, BAD + 1);
	CLAIM(lg_map_read(theirs, &byte, 1, BAD) == -EIO);
	claim_segv("an unreadable page", touch, (size_t)(at - data));
	claim_kept(at);
	claim_kept(lg_map_data(theirs));
	atomic_store(&shelf.bad_to, BAD);
	CLAIM(lg_map_retry(theirs) == 1);
}

/* On the default pager; its name is gone. */
static char *file_new(void)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	int fd = mkstemp(path);

	CLAIM(fd >= 0);
	close(fd);
	char *made = lg_file_alloc(path, 8192);
	CLAIM(made != NULL);
	CLAIM(unlink(path) == 0);
	return made;
}

static void call_everything(void *unused)
{
	struct lg_pager_stats stats;
	char byte = 0;

	(void)unused;
	CLAIM(lg_map_sync(map, 0, 0) == -ECHILD);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == -ECHILD);
	CLAIM(lg_map_advise(map, 0, 0, LG_DEAD) == -ECHILD);
	CLAIM(lg_map_populate(map, 0, 0) == -ECHILD);
	CLAIM(lg_map_pin(map, 0, 1) == -ECHILD);
	CLAIM(lg_map_read(map, &byte, 1, 0) == -ECHILD);
	CLAIM(lg_map_write(map, &byte, 1, 0) == -ECHILD);
	CLAIM(lg_map_retry(map) == -ECHILD);
	CLAIM(lg_map_error(map, lg_map_data(map)) == -ECHILD);
	CLAIM(lg_pager_resize(pager, 2 * MIB) == -ECHILD);
	CLAIM(lg_pager_stats_read(pager, &stats) == -ECHILD);
	CLAIM(lg_map_memory(pager, MIB, NULL) == NULL);
	CLAIM(errno == ECHILD);
	CLAIM(lg_map_close(map) == -ECHILD);
	CLAIM(lg_pager_free(pager) == -ECHILD);
	CLAIM(strstr(lg_error(), "fork") != NULL);
	CLAIM(lg_file_sync(file) == -1 && errno == ECHILD);
	CLAIM(lg_file_free(file) == -1 && errno == ECHILD);
	CLAIM(strstr(lg_error(), "fork") != NULL);
}

static void make_their_own(void *unused)
{
	lg_pager *own = lg_pager_new("memory:1M,page:16K,faults:inline");
	lg_map *memory = lg_map_memory(own, 4 * MIB, NULL);

	(void)unused;
	CLAIM(memory != NULL);
	char *at = lg_map_data(memory);
	for (size_t i = 0; i < 4 * MIB; i += 4096)
		at[i] = (char)(i >> 12);
	for (size_t i = 0; i < 4 * MIB; i += 4096)
		CLAIM(at[i] == (char)(i >> 12));
	CLAIM(lg_map_close(memory) == 0);
	CLAIM(lg_pager_free(own) == 0);
	char *at_file = file_new(); /* the default one, too */
	at_file[0] = 1;
	CLAIM(lg_file_free(at_file) == 0);
}

static void execute(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", (char *)NULL);
	BROKEN("exec works");
}

static void spawn(void)
{
	char *const arguments[] = { (char *)"true", NULL };
	pid_t child;

	CLAIM(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
	CLAIM(process_wait(child) == 0);
}

static void claim_parent_undisturbed(void)
{
	for (size_t i = 0; i < 8 * MIB; i += 4096)
		CLAIM(data[i] == (char)(i >> 12));
	CLAIM(((char *)lg_map_data(theirs))[5] == 's');
	CLAIM(lg_map_sync(theirs, 0, 0) == 0);
	CLAIM(shelf.bytes[5] == 's');
	CLAIM(atomic_load(&shelf.closes) == 0);
}

/* False: not permitted. */
static bool start(const char *options)
{
	pager = lg_pager_new(options);
	if (pager == NULL && errno == EPERM) {
		fprintf(stderr, "left out: %s: %s\n", options, lg_error());
		return false;
	}
	CLAIM(pager != NULL);
	map = lg_map_memory(pager, 8 * MIB, NULL);
	CLAIM(map != NULL);
	data = lg_map_data(map);
	shelf_make(&shelf, BYTES);
	theirs = lg_map_store(pager, &shelf_ops, &shelf, BYTES, NULL);
	CLAIM(theirs != NULL);
	file = file_new();
	((char *)lg_map_data(theirs))[5] = 's';
	for (size_t i = 0; i < 8 * MIB; i += 4096)
		data[i] = (char)(i >> 12);
	return true;
}

static void end(void)
{
	claim_parent_undisturbed();
	CLAIM(lg_file_sync(file) == 0);
	CLAIM(lg_file_free(file) == 0);
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_map_close(theirs) == 0);
	CLAIM(atomic_load(&shelf.closes) == 1);
	CLAIM(lg_pager_free(pager) == 0);
	shelf_end(&shelf);
}

static void try_way(const char *options)
{
	if (!start(options))
		return;
	claim_segv("a page that has left", touch, 4096);
	claim_segv("a page in memory", touch, 8 * MIB - 1);
	claim_segv("a page in memory, written", write_to, 8 * MIB - 1);
	CLAIM(lg_map_pin(map, 0, 1) == 0);
	claim_segv("a pinned page", touch, 0);
	CLAIM(lg_map_unpin(map, 0, 1) == 0);
	CLAIM(lg_map_advise(map, 0, 0, LG_COLD) == 0);
	claim_segv("a cold page, written", write_to, 100000);
	claim_kept(data);
	claim_kept(data + 8 * MIB - 4096);
	claim_kept_round_a_neighbour();
	claim_unreadable_kept();
	child_claim("calls", call_everything, NULL);
	child_claim("a pager of its own", make_their_own, NULL);
	child_claim("exec", execute, NULL);
	spawn();
	end();
}

static bool has_rings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	bool found = false;

	CLAIM(maps != NULL);
	while (!found && fgets(line, sizeof(line), maps) != NULL)
		found = strstr(line, "[aio]") != NULL;
	fclose(maps);
	return found;
}

static void claim_no_rings(void *unused)
{
	(void)unused;
	CLAIM(!has_rings());
}

/* They are for files past the page cache. */
static bool rings_are_to_be_had(void)
{
	char path[] = "/var/tmp/lgalloc-test.XXXXXX";
	aio_context_t context = 0;
	int fd = mkostemp(path, O_DIRECT);

	if (fd < 0)
		return false;
	CLAIM(unlink(path) == 0);
	close(fd);
	if (syscall(SYS_io_setup, 1, &context) != 0)
		return false;
	CLAIM(syscall(SYS_io_destroy, context) == 0);
	return true;
}

/* Pages leave in no order, and are sent in many stretches then. */
static void write_shuffled(uint64_t *random)
{
	for (unsigned i = 0; i < 10000; i++) {
		size_t at = random_below(random, 8 * MIB / 4096) * 4096;

		data[at] = (char)(at >> 12);
	}
}

static void try_rings(const char *options)
{
	enum { TURNS_MOST = 1000 };
	uint64_t random = 1;

	if (!rings_are_to_be_had()) {
		fprintf(stderr, "left out: rings: no kernel AIO past the page cache\n");
		return;
	}
	CLAIM(start(options));
	for (unsigned turn = 0; turn == 0 || !has_rings(); turn++) {
		CLAIM(turn < TURNS_MOST);
		write_shuffled(&random);
	}
	child_claim("rings", claim_no_rings, NULL);
	end();
}

static void fail(int number)
{
	(void)number;
	_exit(EXIT_FAILURE);
}

/* The next child is the first process of a namespace: the kernel sends it no signal that it has no handler for. */
static void number_from_one(void)
{
	const struct sigaction action = { .sa_handler = fail };

	if (unshare(CLONE_NEWPID) != 0)
		SKIP("no namespace of processes: %s", strerror(errno));
	CLAIM(sigaction(SIGALRM, &action, NULL) == 0);
}

static void call_as_first(void *unused)
{
	CLAIM(getpid() == 1);
	call_everything(unused);
	make_their_own(unused);
}

static void be_first(void *options)
{
	CLAIM(getpid() == 1);
	if (!start(options))
		return;
	number_from_one();
	child_claim("a child with its parent's number", call_as_first, NULL);
	end();
}

static void have_a_first(void *options)
{
	number_from_one();
	child_claim("the first process of a namespace", be_first, options);
}

int main(void)
{
	static char inline_pages[] = "memory:1M,page:16K,faults:inline";
	static char served_pages[] = "memory:1M,page:16K,faults:threads";

	if (SANITIZED_ADDRESS)
		setenv("ASAN_OPTIONS", "handle_segv=0", 1);
	try_way(inline_pages);
	try_way(served_pages);
	try_way("memory:1M,page:16K,faults:threads,without:poison");
	try_way("memory:16M,page:2M,faults:inline");
	try_rings("memory:2M,page:4K,faults:inline,dir:/var/tmp");
	child_claim("namespaces", have_a_first, inline_pages);
	child_claim("namespaces, faults served by threads", have_a_first, served_pages);
	return EXIT_SUCCESS;
}
