/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/io_queue.h"

#include "base/bits.h"
#include "base/require.h"
#include "os/map.h"
#include "os/raw.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define RING_MAGIC 0xa10a10a1u

/* What every version of the kernel has at the context's address, in front of the events. */
struct ring {
	uint32_t id;
	uint32_t events;
	uint32_t head;
	uint32_t tail;
	uint32_t magic;
	uint32_t features[2];
	uint32_t bytes; /* of this header */
};

/* It is shared memory: a child would have it, and all of its children. */
static void keep_from_children(struct lg_os_io_queue *queue)
{
	const struct ring *ring = (const struct ring *)(uintptr_t)queue->context;

	if (ring->magic == RING_MAGIC)
		(void)lg_os_raw(
			SYS_madvise, (long)queue->context,
			(long)lg_round_up(ring->bytes + ring->events * sizeof(struct io_event),
					  lg_os_page_bytes()),
			MADV_DONTFORK, 0, 0, 0);
}

static bool is_there(struct lg_os_io_queue *queue)
{
	if (queue->context != 0 || queue->refused)
		return !queue->refused;
	queue->refused =
		lg_os_raw(SYS_io_setup, LG_OS_IO_MANY, (long)&queue->context, 0, 0, 0, 0) != 0;
	if (!queue->refused)
		keep_from_children(queue);
	return !queue->refused;
}

/* It is not asked again. True: nothing is in flight any more. */
static bool give_up(struct lg_os_io_queue *queue)
{
	long error = lg_os_raw(SYS_io_destroy, (long)queue->context, 0, 0, 0, 0, 0);

	queue->context = 0;
	queue->refused = true;
	return error == 0;
}

/* Until this many that were sent are back: the memory is the disk's before. */
static void wait_for(struct lg_os_io_queue *queue, long sent)
{
	struct io_event events[LG_OS_IO_MANY];

	while (sent > 0) {
		long back = lg_os_raw(SYS_io_getevents, (long)queue->context, sent, sent,
				      (long)events, 0, 0);

		if (back < 0 && back != -EINTR) { /* a filter came between */
			LG_REQUIRE(give_up(queue));
			return;
		}
		for (long i = 0; i < back; i++) {
			struct lg_os_io_request *request =
				(struct lg_os_io_request *)(uintptr_t)events[i].data;

			if (events[i].res ==
			    (int64_t)lg_os_io_bytes(request->parts, request->count))
				request->error = 0;
		}
		sent -= back > 0 ? back : 0;
	}
}

void lg_os_io_queue_write(struct lg_os_io_queue *queue, int fd,
			  struct lg_os_io_request *const *requests, unsigned count, uint64_t from)
{
	struct iocb blocks[LG_OS_IO_MANY], *list[LG_OS_IO_MANY];

	if (count == 0 || !is_there(queue))
		return;
	for (unsigned i = 0; i < count; i++) {
		blocks[i] = (struct iocb){
			.aio_data = (uintptr_t)requests[i],
			.aio_lio_opcode = IOCB_CMD_PWRITEV,
			.aio_fildes = (uint32_t)fd,
			.aio_buf = (uintptr_t)requests[i]->parts,
			.aio_nbytes = (unsigned)requests[i]->count,
			.aio_offset = (long long)(from + requests[i]->offset),
		};
		list[i] = &blocks[i];
	}
	long sent = lg_os_raw(SYS_io_submit, (long)queue->context, count, (long)list, 0, 0, 0);
	if (sent == -ENOSYS || sent == -EPERM || sent == -EACCES)
		(void)give_up(queue); /* nothing was sent */
	wait_for(queue, sent);
}

void lg_os_io_queue_end(struct lg_os_io_queue *queue)
{
	if (queue->context != 0)
		(void)give_up(queue);
}
