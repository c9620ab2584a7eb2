/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/user.h"

#include "base/bits.h"
#include "base/error.h"
#include "os/clock.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

/* AT_ONCE: a burst of signals, which is over by then. */
enum { AGAIN_MAX = 1000, AT_ONCE = 10, AGAIN_US = 1000, ERRNO_MAX = 4095, OPS_BYTES_MAX = 4096 };

struct user {
	struct lg_store store; /* first */
	struct lg_store_ops ops;
	void *context;
};

static struct user *user_of(struct lg_store *store)
{
	return (struct user *)store;
}

/*
 * Around calls of the program's functions, which may be anything. A thread that was cancelled inside one would take along
 * what it holds of ours: the BUSY of a page that others wait for.
 */
struct before {
	int number;
	int cancel;
};

static struct before begin(void)
{
	return (struct before){ .number = errno, .cancel = lg_os_cancel_hold() };
}

static void end(const struct before *before)
{
	lg_os_cancel_restore(before->cancel);
	errno = before->number;
}

/* What a function may answer: a count of at most `length`, or -errno. */
static ssize_t checked(ssize_t answer, size_t length)
{
	if (answer < -ERRNO_MAX || (answer > 0 && (size_t)answer > length))
		return -EIO;
	return answer;
}

static bool is_passing(ssize_t answer, unsigned *again)
{
	if ((answer != -EINTR && answer != -EAGAIN) || (*again)++ == AGAIN_MAX)
		return false;
	if (answer == -EAGAIN || *again > AT_ONCE)
		lg_os_sleep_us(AGAIN_US);
	return true;
}

/* What does not pass is a failure: to the pager -EAGAIN is to look again. */
static int lasting(ssize_t answer)
{
	return answer == -EINTR || answer == -EAGAIN ? -EIO : (int)answer;
}

/* How much of a part lies within the store. */
static size_t within(const struct user *user, const struct iovec *part, uint64_t offset)
{
	uint64_t bytes = user->store.bytes;

	return offset < bytes ? (size_t)lg_min(part->iov_len, bytes - offset) : 0;
}

static int read_part(struct user *user, const struct iovec *part, uint64_t offset)
{
	size_t length = within(user, part, offset), done = 0;
	unsigned again = 0;

	while (done < length) {
		ssize_t got = checked(user->ops.read(user->context, (char *)part->iov_base + done,
						     length - done, offset + done),
				      length - done);

		if (got == 0)
			break;
		if (got < 0 && !is_passing(got, &again))
			return lasting(got);
		if (got > 0) {
			done += (size_t)got;
			again = 0;
		}
	}
	memset((char *)part->iov_base + done, 0, part->iov_len - done);
	return 0;
}

static int write_part(struct user *user, const struct iovec *part, uint64_t offset)
{
	size_t length = within(user, part, offset), done = 0;
	unsigned again = 0;

	while (done < length) {
		ssize_t got =
			checked(user->ops.write(user->context, (const char *)part->iov_base + done,
						length - done, offset + done),
				length - done);

		if (got == 0)
			return -EIO;
		if (got < 0 && !is_passing(got, &again))
			return lasting(got);
		if (got > 0) {
			done += (size_t)got;
			again = 0;
		}
	}
	return 0;
}

static int each_part(struct user *user, const struct iovec *parts, int count, uint64_t offset,
		     int (*move)(struct user *user, const struct iovec *part, uint64_t offset))
{
	struct before before = begin();
	int error = 0;

	for (int i = 0; i < count && error == 0; i++) {
		error = move(user, &parts[i], offset);
		offset += parts[i].iov_len;
	}
	end(&before);
	return error;
}

static int read_range(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset)
{
	return each_part(user_of(store), parts, count, offset, read_part);
}

static int write_range(struct lg_store *store, const struct iovec *parts, int count,
		       uint64_t offset)
{
	if (store->readonly)
		return -EROFS;
	return each_part(user_of(store), parts, count, offset, write_part);
}

/* Unlike the kernel, a user's store may well succeed another time: whether it did is for it to say. */
static int flush(struct lg_store *store)
{
	struct user *user = user_of(store);
	unsigned again = 0;
	int error;

	if (user->ops.flush == NULL || store->readonly)
		return 0;
	struct before before = begin();
	do
		error = (int)checked(user->ops.flush(user->context), 0);
	while (is_passing(error, &again));
	end(&before);
	return lasting(error);
}

static int discard(struct lg_store *store, uint64_t offset, uint64_t bytes)
{
	struct user *user = user_of(store);
	struct before before = begin();
	int error = 0;

	if (user->ops.discard != NULL && !store->readonly && offset < store->bytes)
		error = (int)checked(user->ops.discard(user->context, offset,
						       lg_min(bytes, store->bytes - offset)),
				     0);
	end(&before);
	return error;
}

/* In a fork's child: what the program does with its store there is its own affair. */
static void forget(struct lg_store *store)
{
	lg_os_unreserve(store, sizeof(struct user));
}

static void close_theirs(const struct lg_store_ops *ops, void *context)
{
	struct before before = begin();

	if (ops->close != NULL)
		ops->close(context);
	end(&before);
}

static void close_store(struct lg_store *store)
{
	struct user *user = user_of(store);

	close_theirs(&user->ops, user->context);
	forget(store);
}

static const struct lg_store_calls calls = {
	.name = "store",
	.read = read_range,
	.write = write_range,
	.flush = flush,
	.discard = discard,
	.close = close_store,
	.forget = forget,
};

/* A later version of the header may have added to the end, but then leaves it zero. */
static bool is_known(const struct lg_store_ops *ops)
{
	const char *bytes = (const char *)ops;

	if (ops->size < sizeof(*ops) || ops->size > OPS_BYTES_MAX)
		return false;
	for (size_t i = sizeof(*ops); i < ops->size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static int check(const struct lg_store_ops *ops, uint64_t bytes)
{
	if (ops == NULL || !is_known(ops))
		return lg_fail(EINVAL, "a store's size must be sizeof(struct lg_store_ops): %zu",
			       sizeof(*ops));
	if (ops->read == NULL)
		return lg_fail(EINVAL, "a store needs a read function");
	if (bytes == 0)
		return lg_fail(EINVAL, "a store of 0 bytes was asked for");
	if (bytes > LG_STORE_BYTES_MAX)
		return lg_fail(EFBIG,
			       "a store of %llu bytes is more than a map can have: at most %llu",
			       (unsigned long long)bytes, (unsigned long long)LG_STORE_BYTES_MAX);
	return 0;
}

void lg_user_store_refuse(const struct lg_store_ops *ops, void *context)
{
	if (ops != NULL && is_known(ops))
		close_theirs(ops, context);
}

int lg_user_store_open(const struct lg_store_ops *ops, void *context, uint64_t bytes, bool readonly,
		       struct lg_store **store)
{
	void *record = NULL;
	int error = check(ops, bytes);

	if (error != 0)
		return error;
	error = lg_os_map_record(sizeof(struct user), &record);
	if (error != 0)
		return lg_fail(-error, "no memory for a store's record: %s", lg_error_name(-error));
	struct user *user = record;
	user->ops = *ops;
	user->context = context;
	user->store = (struct lg_store){ .calls = &calls,
					 .bytes = bytes,
					 .alignment = 1,
					 .readonly = readonly || ops->write == NULL,
					 .signal_safe = ops->signal_safe,
					 .lasts = true,
					 .discards = ops->discard != NULL,
					 .is_slow = !ops->signal_safe };
	*store = &user->store;
	return 0;
}
