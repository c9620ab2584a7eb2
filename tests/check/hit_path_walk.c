/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: an allocation and a free that the thread's magazine serves execute no atomic
 * read-modify-write, no fence, no system call and no call (ARCHITECTURE.md, law 2).
 * Method: a child warms a size class up, and its parent then steps it through one pair, one
 * instruction at a time, and looks at the bytes of each. Oracle: the processor itself says which
 * instructions a hit is; the encoding says what they are. x86-64 only.
 */
#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, STEPS_MAX = 100000, CODE_BYTES = 16 };

/* What an instruction is that a hit must not contain, or NULL. */
static const char *forbidden(const uint8_t code[static CODE_BYTES])
{
	int i = 0;

	for (; i < CODE_BYTES - 4; i++) {
		if (code[i] == 0xf0)
			return "a lock prefix";
		if (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf2\xf3", code[i], 10) == NULL)
			break;
	}
	if ((code[i] & 0xf0) == 0x40)
		i++; /* REX */
	uint8_t operand = code[i + 1];
	bool in_memory = operand >> 6 != 3;
	int group = operand >> 3 & 7;

	if ((code[i] == 0x86 || code[i] == 0x87) && in_memory)
		return "xchg with memory, which locks";
	if (code[i] == 0xe8 || (code[i] == 0xff && (group == 2 || group == 3)))
		return "a call";
	if (code[i] == 0xcd || (code[i] == 0x0f && (operand == 0x05 || operand == 0x34)))
		return "a system call";
	if (code[i] == 0x0f && operand == 0xae && code[i + 2] >= 0xe8)
		return "a fence";
	return NULL;
}

static bool read_code(pid_t child, uint64_t address, uint8_t code[static CODE_BYTES])
{
	for (size_t i = 0; i < CODE_BYTES; i += sizeof(long)) {
		errno = 0;
		long word = ptrace(PTRACE_PEEKTEXT, child, address + i, NULL);
		if (word == -1 && errno != 0)
			return false;
		memcpy(code + i, &word, sizeof(word));
	}
	return true;
}

static bool step(pid_t child, struct user_regs_struct *registers)
{
	int status;

	return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
	       waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
	       ptrace(PTRACE_GETREGS, child, NULL, registers) == 0;
}

/* From the child's next entry into `function` to its return: instructions, or -1 with the reason said. */
static int walk(pid_t child, uint64_t function, const char *name)
{
	struct user_regs_struct registers = { 0 };
	int steps = 0;

	for (steps = 0; registers.rip != function; steps++)
		if (steps == STEPS_MAX || !step(child, &registers)) {
			fprintf(stderr, "%s was never entered\n", name);
			return -1;
		}
	uint64_t stack = registers.rsp;
	uint8_t code[CODE_BYTES];

	for (steps = 0; registers.rsp <= stack; steps++) {
		if (steps == STEPS_MAX || !read_code(child, registers.rip, code)) {
			fprintf(stderr, "%s: lost after %d instructions\n", name, steps);
			return -1;
		}
		const char *what = forbidden(code);
		if (what != NULL) {
			fprintf(stderr, "%s: instruction %d of a hit is %s\n", name, steps, what);
			return -1;
		}
		if (!step(child, &registers)) {
			fprintf(stderr, "%s: the child ended\n", name);
			return -1;
		}
	}
	return steps;
}

static _Noreturn void child_run(size_t bytes)
{
	for (int i = 0; i < 100; i++) {
		lg_region *region = lg_region_new(bytes);
		if (region == NULL) {
			fprintf(stderr, "no region of %zu bytes: %s\n", bytes, lg_error());
			_exit(1);
		}
		lg_region_free(region);
	}
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(SKIPPED);
	raise(SIGSTOP);
	lg_region_free(lg_region_new(bytes));
	_exit(0);
}

/* Whether the decoder sees what it is there to see. */
static int decoder_check(void)
{
	static const struct {
		uint8_t code[CODE_BYTES];
		bool bad;
	} samples[] = {
		{ { 0xf0, 0x48, 0x0f, 0xb1, 0x17 }, true },  /* lock cmpxchg %rdx,(%rdi) */
		{ { 0x66, 0xf0, 0x0f, 0xc1, 0x07 }, true },  /* lock xadd %ax,(%rdi) */
		{ { 0x48, 0x87, 0x07 }, true },              /* xchg %rax,(%rdi) */
		{ { 0x48, 0x87, 0xc3 }, false },             /* xchg %rax,%rbx */
		{ { 0xe8, 1, 2, 3, 4 }, true },              /* call */
		{ { 0xff, 0x15, 1, 2, 3, 4 }, true },        /* call *x(%rip) */
		{ { 0xff, 0x25, 1, 2, 3, 4 }, false },       /* jmp *x(%rip) */
		{ { 0x0f, 0x05 }, true },                    /* syscall */
		{ { 0x0f, 0xae, 0xf0 }, true },              /* mfence */
		{ { 0x64, 0x48, 0x8b, 0x04, 0x25 }, false }, /* mov %fs:x,%rax */
		{ { 0xf3, 0x0f, 0x1e, 0xfa }, false },       /* endbr64 */
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((forbidden(samples[i].code) != NULL) != samples[i].bad) {
			fprintf(stderr, "the decoder is wrong about sample %zu\n", i);
			return 1;
		}
	return 0;
}

static int pair_check(size_t bytes)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return SKIPPED;
	if (child == 0)
		child_run(bytes);
	if (waitpid(child, &status, 0) != child)
		return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	int new_steps = walk(child, (uint64_t)(uintptr_t)lg_region_new, "lg_region_new");
	int free_steps = new_steps < 0 ?
				 -1 :
				 walk(child, (uint64_t)(uintptr_t)lg_region_free, "lg_region_free");

	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	if (new_steps < 0 || free_steps < 0)
		return 1;
	printf("%zu bytes: a hit is %d instructions, its free %d\n", bytes, new_steps, free_steps);
	return 0;
}

int main(void)
{
	static const size_t sizes[] = { 4096, 65536, 2 << 20, 16 << 20 };

	if (decoder_check() != 0)
		return 1;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int status = pair_check(sizes[i]);
		if (status != 0)
			return status;
	}
	return 0;
}
