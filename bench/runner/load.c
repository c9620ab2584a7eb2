/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/load.h"

#include <math.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

struct load {
	double busy; /* s, of all processors, by whomever; the hypervisor's share in it */
	double idle;
	double own; /* s, ours and of the processes we waited for */
};

static struct load at_begin, at_end;

static void read_load(struct load *load)
{
	unsigned long long user = 0, nice_user = 0, system = 0, idle = 0, iowait = 0, irq = 0,
			   softirq = 0;
	unsigned long long steal = 0;
	double tick = (double)sysconf(_SC_CLK_TCK);
	struct rusage self, children;
	FILE *file = fopen("/proc/stat", "re");

	if (file != NULL) {
		if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice_user,
			   &system, &idle, &iowait, &irq, &softirq, &steal) != 8)
			steal = 0;
		fclose(file);
	}
	load->busy = (double)(user + nice_user + system + irq + softirq + steal) / tick;
	load->idle = (double)(idle + iowait) / tick;
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	load->own = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec +
			     children.ru_utime.tv_sec + children.ru_stime.tv_sec) +
		    (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec +
			     children.ru_utime.tv_usec + children.ru_stime.tv_usec) /
			    1e6;
}

void load_begin(void)
{
	read_load(&at_begin);
}

void load_end(void)
{
	read_load(&at_end);
}

void load_write(FILE *to, const char *line_start)
{
	double busy = at_end.busy - at_begin.busy;
	double total = busy + at_end.idle - at_begin.idle;
	double others = busy - (at_end.own - at_begin.own);

	if (total <= 0)
		return;
	double share = fmax(0, others / total) * 100;
	fprintf(to,
		"%sothers (other processes, the kernel's threads, the host) took %.0f %% of the "
		"processors%s\n",
		line_start, share,
		share > 10 ? ": rows of several threads and longest times are not to be trusted" :
			     "");
}
