/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Built with -fno-exceptions and -fno-rtti: all of the header is there, and a refusal says why and aborts. */
#include <lgalloc/lgalloc.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	std::fprintf(stderr, "does not hold: %s\n", what);
	std::exit(1);
}

#define CLAIM(condition) check(static_cast<bool>(condition), #condition)

/* What a child says that ends by SIGABRT. */
template <class Call>
static void check_last_words(Call call, const char *words)
{
	char said[512] = "";
	int pipes[2], status;

	CLAIM(pipe(pipes) == 0);
	const pid_t child = fork();
	if (child == 0) {
		const struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		std::signal(SIGABRT, SIG_DFL);
		dup2(pipes[1], STDERR_FILENO);
		call();
		_exit(0);
	}
	close(pipes[1]);
	for (ssize_t have = 0, got;
	     (got = read(pipes[0], said + have,
			 sizeof(said) - 1 - static_cast<std::size_t>(have))) > 0;)
		have += got;
	close(pipes[0]);
	CLAIM(waitpid(child, &status, 0) == child);
	CLAIM(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	if (std::strstr(said, words) == nullptr)
		std::fprintf(stderr, "said: %s\n", said);
	CLAIM(std::strstr(said, words) != nullptr);
}

int main()
{
	constexpr std::size_t too_many = std::size_t{ 1 } << 43;

	{
		std::vector<int, lg::allocator<int>> vector(100000, 7);
		std::pmr::vector<int> other(100000, 7, lg::region_resource());
		lg::memory_resource resource;
		lg::region region = lg::region::zeroed(1 << 20);
		lg::vector_buffer<int> buffer(vector.begin(), vector.end());

		for (int i = 0; i < 100000; i++)
			buffer.insert(buffer.cend() - 1, buffer.front());
		CLAIM(buffer.size() == 200000 && buffer.at(199999) == 7);
		CLAIM(region.as<int>()[7] == 0);
		CLAIM(resource == resource); /* without RTTI nothing more is known */
		CLAIM(lg_region_of(vector.data()) && lg_region_of(other.data()));
	}
	check_last_words([] { lg::region region(too_many); }, "lgalloc: no memory: ");
	check_last_words(
		[] {
			lg::allocator<char>().deallocate(lg::allocator<char>().allocate(too_many),
							 1);
		},
		"lgalloc: no memory: ");
	check_last_words([] { lg::vector_buffer<int>().reserve(SIZE_MAX); }, "too many elements");
	check_last_words([] { lg::vector_buffer<int>().at(0) = 1; }, "no such element");
	return 0;
}
