// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "heap/peer.h"

#include <boost/interprocess/managed_mapped_file.hpp>
#include <boost/version.hpp>

#include <new>

namespace
{

namespace interprocess = boost::interprocess;

interprocess::managed_mapped_file *file;

block *take(size_t bytes)
{
	return file->allocate(bytes, std::nothrow);
}

void give(block *given)
{
	file->deallocate(given);
}

block *resize(block *, size_t)
{
	return nullptr; // it has none
}

} // namespace

void peer_open_boost(struct block_calls *calls, const char *path)
{
	file = new interprocess::managed_mapped_file(interprocess::create_only, path, PEER_BYTES);
	*calls = { take, give, resize };
}

const char *peer_version_boost()
{
	return BOOST_LIB_VERSION;
}
