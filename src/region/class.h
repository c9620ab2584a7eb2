/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A size class: all regions of one size, an allocator of its own. What several threads write lies on
 * lines of its own.
 */
#ifndef LG_REGION_CLASS_H
#define LG_REGION_CLASS_H

#include "os/file.h"
#include "region/area.h"
#include "region/backing.h"
#include "region/dirty.h"
#include "region/span.h"

#include <stdbool.h>

/*
 * A program may close our descriptor; the class then goes on with a new file, and areas remember theirs.
 * Records are used in turn: one is written again only after LG_FILES - 1 others were closed as well.
 */
enum { LG_FILES = 64 };

/* Counters of events too rare to keep per thread: written by read-modify-write. */
#define LG_CLASS_EVENTS(X) X(refills) X(reclaimed) X(reclaimed_bytes) X(retired) X(revoked) X(stuck)

struct lg_class {
	struct lg_dirty dirty;
	struct lg_dirty lazy;
	struct lg_stack lost; /* regions whose mapping a failed move took; a trim maps them again */
	LG_LINE_ALIGNED unsigned index;
	uint64_t *bits; /* clean bits, by region number */
	struct lg_os_file
		files[LG_FILES]; /* of the file backing; one changes only when it is not current */
	_Atomic(uint32_t) file;  /* the current one, where new areas go; changed under `refill` */
	_Atomic(uint32_t) slots; /* area slots ever used: the rest need no look */
#define LG_EVENT_FIELD(name) _Atomic(uint64_t) name;
	LG_CLASS_EVENTS(LG_EVENT_FIELD)
#undef LG_EVENT_FIELD
	struct lg_area areas[LG_AREAS];
};

extern struct lg_class lg_classes[LG_CLASSES];

/*
 * The refill lock of a class, the one lock besides the start's: held while an area is mapped. Together,
 * and apart from the classes: a fork takes them all, and its child then copies one page and not one a class.
 */
void lg_class_lock(struct lg_class *class);
bool lg_class_try_lock(struct lg_class *class);
void lg_class_unlock(struct lg_class *class);

#define lg_class_event(class, name, n) lg_add_relaxed(&(class)->name, (uint64_t)(n))

#endif
