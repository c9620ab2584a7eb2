/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A table to look at: a line per class in use, one per pager, one of remote objects, and one per heap. */
#include "base/error.h"
#include "metrics/pagers.h"
#include "metrics/writer.h"

#include <lgalloc/lgalloc.h>

#include <inttypes.h>
#include <stdio.h>

enum { SIZE_TEXT = 16 };

/* 3 KiB, 2 MiB, 1.5 GiB: three digits are enough to look at. */
static const char *size_text(uint64_t bytes, char *text)
{
	static const char units[] = "BKMGTP";
	double value = (double)bytes;
	unsigned unit = 0;

	for (; value >= 1000 && unit < sizeof(units) - 2; unit++)
		value /= 1024;
	if (unit == 0)
		snprintf(text, SIZE_TEXT, "%" PRIu64 " B", bytes);
	else
		snprintf(text, SIZE_TEXT, "%.3g %ciB", value, units[unit]);
	return text;
}

static void write_line(struct lg_writer *writer, const char *name,
		       const struct lg_class_stats *class)
{
	char mapped[SIZE_TEXT];
	double hits = class->allocations > 0 ?
			      100.0 * (double)class->from_magazine / (double)class->allocations :
			      0;

	lg_writer_print(writer,
			"%10s %9" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64
			" %5" PRIu64 " %9s %12" PRIu64 " %6.2f%% %8" PRIu64 " %9" PRIu64 "\n",
			name, class->in_use, class->cached, class->dirty, class->lazy, class->clean,
			class->areas, size_text(class->area_bytes, mapped), class->allocations,
			hits, class->steals, class->reclaimed);
}

/* 1.5 us, 12 ms */
static const char *time_text(double seconds, char *text)
{
	static const char *const units[] = { "s", "ms", "us" };
	unsigned unit = 0;

	for (; seconds < 1 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
		seconds *= 1000;
	snprintf(text, SIZE_TEXT, "%.3g %s", seconds, units[unit]);
	return text;
}

static void write_pager_line(struct lg_writer *writer, const struct lg_roster_entry *pager)
{
	const struct lg_pager_stats *stats = &pager->stats;
	char budget[SIZE_TEXT], resident[SIZE_TEXT], peak[SIZE_TEXT], mapped[SIZE_TEXT],
		median[SIZE_TEXT], tail[SIZE_TEXT];

	lg_writer_print(writer, "%10s %9s %9s %9s %5" PRIu64 " %9s %11" PRIu64 " %6.1f%% %7.1f%%",
			pager->name, size_text(stats->budget, budget),
			size_text(stats->resident, resident), size_text(stats->peak, peak),
			stats->maps, size_text(stats->map_bytes, mapped), stats->faults,
			100 * lg_ratio(stats->limbo_hits, stats->faults),
			100 * lg_ratio(stats->prefetch_useful,
				       stats->prefetch_useful + stats->prefetch_useless));
	lg_writer_print(writer, " %7.2f %7.2f %9s %9s %6" PRIu64 "\n",
			lg_ratio(stats->bytes_read, stats->bytes_wanted),
			lg_ratio(stats->bytes_written, stats->bytes_dirtied),
			time_text(lg_times_quantile(stats->fault_ns, 0.5), median),
			time_text(lg_times_quantile(stats->fault_ns, 0.99), tail), stats->errors);
}

static void write_pagers(struct lg_writer *writer, const struct lg_roster *pagers)
{
	if (pagers->count > 0)
		lg_writer_print(
			writer, "%10s %9s %9s %9s %5s %9s %11s %7s %8s %7s %7s %9s %9s %6s\n",
			"pager", "budget", "resident", "peak", "maps", "mapped", "faults", "limbo",
			"prefetch", "read x", "write x", "median", "p99", "errors");
	for (size_t i = 0; i < pagers->count; i++)
		write_pager_line(writer, &pagers->entries[i]);
}

static void write_remote(struct lg_writer *writer, const struct lg_remote_stats *remote)
{
	char fetched[SIZE_TEXT], used[SIZE_TEXT], first[SIZE_TEXT], fault[SIZE_TEXT];

	if (remote->gets == 0)
		return;
	lg_writer_print(writer, "%10s %9s %9s %7s %7s %8s %8s %8s %10s %9s\n", "remote", "fetched",
			"used", "used x", "retries", "hedges", "failures", "prefetch", "first byte",
			"fault p99");
	lg_writer_print(writer,
			"%10" PRIu64 " %9s %9s %7.2f %7" PRIu64 " %8" PRIu64 " %8" PRIu64
			" %7.1f%%",
			remote->gets, size_text(remote->bytes_fetched, fetched),
			size_text(remote->bytes_used, used),
			lg_ratio(remote->bytes_used, remote->bytes_fetched), remote->retries,
			remote->hedges, remote->failures,
			100 * lg_ratio(remote->prefetch_hits, remote->prefetched));
	lg_writer_print(writer, " %10s %9s\n",
			time_text(lg_times_quantile(remote->first_byte_ns, 0.5), first),
			time_text(lg_times_quantile(remote->fault_ns, 0.99), fault));
}

static void write_heap_line(struct lg_writer *writer, const struct lg_census_entry *heap)
{
	const struct lg_heap_stats *stats = &heap->stats;
	char file[SIZE_TEXT], disk[SIZE_TEXT], journal[SIZE_TEXT], used[SIZE_TEXT],
		written[SIZE_TEXT];

	lg_writer_print(writer, "%9s %9s %9s %9s %10" PRIu64 " %9" PRIu64 " %11" PRIu64,
			size_text(stats->file_bytes, file), size_text(stats->disk_bytes, disk),
			size_text(stats->journal_bytes, journal),
			size_text(stats->journal_used, used), stats->sequence, stats->commits,
			stats->pages_committed);
	lg_writer_print(writer, " %9s %11" PRIu64 " %6s  %s\n",
			size_text(stats->bytes_journaled, written), stats->pages_home,
			heap->failed   ? "failed" :
			heap->readonly ? "reads" :
					 "ok",
			heap->name);
}

/* Names are as long as those of files, so they come last. */
static void write_heaps(struct lg_writer *writer, const struct lg_census *heaps)
{
	if (heaps->count > 0)
		lg_writer_print(writer, "%9s %9s %9s %9s %10s %9s %11s %9s %11s %6s  %s\n", "file",
				"on disk", "journal", "used", "sequence", "commits", "pages",
				"journaled", "home", "state", "heap");
	for (size_t i = 0; i < heaps->count; i++)
		write_heap_line(writer, &heaps->entries[i]);
}

void lg_table_write(struct lg_writer *writer, const struct lg_held *held)
{
	const struct lg_stats *stats = &held->stats;
	char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT];

	lg_writer_print(writer, "lgalloc %s: %s in use, %s cached, %s dirty", lg_version(),
			size_text(stats->in_use_bytes, a), size_text(stats->cached_bytes, b),
			size_text(stats->dirty_bytes, c));
	lg_writer_print(writer, ", %s lazy, %s clean; %" PRIu64 " threads\n",
			size_text(stats->lazy_bytes, a), size_text(stats->clean_bytes, b),
			stats->threads);
	lg_writer_print(writer, "%10s %9s %7s %7s %7s %7s %5s %9s %12s %7s %8s %9s\n", "class",
			"in use", "cached", "dirty", "lazy", "clean", "areas", "mapped",
			"allocations", "hits", "steals", "reclaimed");
	for (unsigned i = 0; i < LG_CLASSES; i++)
		if (stats->classes[i].allocations > 0 || stats->classes[i].areas > 0)
			write_line(writer, size_text(stats->classes[i].size, a),
				   &stats->classes[i]);
	write_line(writer, "total", &stats->totals);
	write_pagers(writer, &held->pagers);
	write_remote(writer, &held->remote);
	write_heaps(writer, &held->heaps);
	if (stats->metrics_failures > 0)
		lg_writer_print(writer,
				"metrics_file: %" PRIu64 " writes failed, %" PRIu64
				" succeeded; the last: %s\n",
				stats->metrics_failures, stats->metrics_writes,
				stats->metrics_error == 0 ?
					"succeeded" :
					lg_error_name((int)stats->metrics_error));
}
