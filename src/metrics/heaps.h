/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the formats say of heaps. */
#ifndef LG_METRICS_HEAPS_H
#define LG_METRICS_HEAPS_H

/* X(field of struct lg_heap_stats, name of the metric, help): what goes up and down. */
#define LG_HEAP_GAUGES(X)                                                                          \
	X(file_bytes, "file_bytes", "Size of the heap's file; it has holes.")                      \
	X(disk_bytes, "disk_bytes", "Disk blocks of the heap's file.")                             \
	X(capacity_bytes, "capacity_bytes", "The largest the heap can get while it is open.")      \
	X(sequence, "sequence", "Number of the last commit since the file was made.")              \
	X(journal_bytes, "journal_bytes", "Size of the journal.")                                  \
	X(journal_used, "journal_used_bytes", "Of the journal, commits not yet written home.")

/* The same for what is counted, since the open. */
#define LG_HEAP_COUNTERS(X)                                                                        \
	X(allocations, "allocations", "Objects allocated.")                                        \
	X(frees, "frees", "Objects freed.")                                                        \
	X(commits, "commits", "Commits.")                                                          \
	X(pages_committed, "committed_pages", "Pages of 4 KiB in commits.")                        \
	X(bytes_journaled, "journaled_bytes", "Bytes written to the journal.")                     \
	X(checkpoints, "checkpoints", "Checkpoints, which write commits home.")                    \
	X(pages_home, "home_pages", "Pages that checkpoints wrote home.")                          \
	X(pages_dropped, "dropped_pages", "Private copies of pages given up.")                     \
	X(punched_bytes, "punched_bytes", "Bytes of disk given back by holes.")

#endif
