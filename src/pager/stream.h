/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Streams: faults that follow each other at a constant distance. A map watches several at once.
 *
 * A stream is believed when its second step is as its first. A fault may lie on several: then it is of the one with the
 * shortest step, and three in a row are a stream of their own, whichever longer steps they lie on. Else a few pages of a scan that
 * were evicted early, and missed at some distance, would be streams that take its faults from it. From then on it keeps a window of pages
 * requested ahead, which doubles each time a fault had to wait for the store, and halves when what was
 * read ahead left memory untouched. Of each piece read ahead one page, the first to be touched, stays in limbo:
 * its fault costs no I/O and tells that the stream goes on.
 *
 * Under the pager's lock.
 */
#ifndef LG_PAGER_STREAM_H
#define LG_PAGER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

enum { LG_STREAMS = 8 };

struct lg_stream {
	int64_t step;    /* pages from one touch to the next; 0: none seen */
	uint64_t last;   /* page touched last */
	uint64_t ahead;  /* the page that would be requested next */
	uint64_t window; /* pages */
	uint64_t used;   /* when, by the map's count of faults */
	bool believed;
};

struct lg_streams {
	struct lg_stream table[LG_STREAMS];
	uint64_t faults;
	uint64_t before; /* page of the fault before */
	int64_t way;     /* to it, from the one before that */
	bool eager; /* each wait is a long one: two neighbours are a stream, and its window is open at once */
	uint64_t span; /* steps so long are requested together, with what lies between; 0: as 1 */
};

/* What to read ahead now: `count` pages from `first`, `step` apart, in the order they will be wanted. */
struct lg_ahead {
	uint64_t first;
	uint64_t count;
	int64_t step;
};

/*
 * Why a fault was one. Those of pages that were read ahead lie as far apart as requests made them: they tell of the streams
 * there are, and never begin one.
 */
enum lg_stream_fault {
	LG_STREAM_STALLED, /* it had to wait for the store */
	LG_STREAM_ZEROS,   /* the store has nothing there */
	LG_STREAM_AHEAD,   /* the page was read ahead, and stayed in limbo */
};

/* A fault at `page`. `piece`: pages of one read; `most`: of a window. True: *ahead is to be requested. */
bool lg_stream_step(struct lg_streams *streams, uint64_t page, uint64_t pages,
		    enum lg_stream_fault fault, bool sequential, uint64_t piece, uint64_t most,
		    struct lg_ahead *ahead);

/*
 * Whether a stream that goes this way, and was heard of in the last `patience` faults, has yet to come to some of
 * these pages, which it asked for.
 */
bool lg_stream_awaits(const struct lg_streams *streams, uint64_t first, uint64_t count,
		      bool backward, uint64_t patience);

/* A step's pages are requested together with those of the next. */
bool lg_stream_spans(const struct lg_streams *streams, int64_t step);

/* Pages read ahead were evicted untouched. */
void lg_stream_waste(struct lg_streams *streams, uint64_t page);

#endif
