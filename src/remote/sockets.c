/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/sockets.h"

#include "os/clock.h"
#include "os/descriptor.h"

#include <string.h>

/* --- what curl says ----------------------------------------------------------------------------- */

static unsigned find(const struct lg_sockets *sockets, int fd)
{
	unsigned place = 0;

	while (place < sockets->count && sockets->table[place].fd != fd)
		place++;
	return place;
}

static void forget(struct lg_sockets *sockets, unsigned place)
{
	if (place == sockets->count)
		return;
	sockets->count--;
	sockets->table[place] = sockets->table[sockets->count];
	sockets->easy[place] = sockets->easy[sockets->count];
}

static int note_socket(CURL *easy, curl_socket_t fd, int what, void *argument, void *own)
{
	struct lg_sockets *sockets = argument;
	unsigned place = find(sockets, fd);

	(void)own;
	if (what == CURL_POLL_REMOVE) {
		forget(sockets, place);
		return 0;
	}
	if (place == LG_SOCKETS) {
		sockets->full = true;
		return 0;
	}
	sockets->count = place == sockets->count ? place + 1 : sockets->count;
	sockets->table[place] = (struct pollfd){
		.fd = fd,
		.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				  (what & CURL_POLL_OUT ? POLLOUT : 0)),
	};
	sockets->easy[place] = easy;
	return 0;
}

static int note_timer(CURLM *multi, long wait_ms, void *argument)
{
	struct lg_sockets *sockets = argument;

	(void)multi;
	sockets->timer_ms = wait_ms < 0 ? UINT64_MAX : lg_os_now_ms() + (uint64_t)wait_ms;
	return 0;
}

void lg_sockets_start(struct lg_sockets *sockets, CURLM *multi)
{
	memset(sockets, 0, sizeof(*sockets));
	sockets->timer_ms = UINT64_MAX;
	(void)lg_curl.curl_multi_setopt_(multi, CURLMOPT_SOCKETFUNCTION, note_socket);
	(void)lg_curl.curl_multi_setopt_(multi, CURLMOPT_SOCKETDATA, sockets);
	(void)lg_curl.curl_multi_setopt_(multi, CURLMOPT_TIMERFUNCTION, note_timer);
	(void)lg_curl.curl_multi_setopt_(multi, CURLMOPT_TIMERDATA, sockets);
}

/* --- turns -------------------------------------------------------------------------------------- */

/* The place of the first among those that are ready; the count: none is. */
static unsigned choose(struct lg_sockets *sockets, uint64_t (*rank)(CURL *easy))
{
	unsigned chosen = sockets->count;
	uint64_t least = UINT64_MAX;

	if (sockets->count == 0 || lg_os_poll_now(sockets->table, sockets->count) <= 0)
		return chosen;
	for (unsigned i = 0; i < sockets->count; i++) {
		short ready = sockets->table[i].revents;
		uint64_t its = (ready & POLLOUT) != 0 ? 0 : rank(sockets->easy[i]);

		if (ready != 0 && (chosen == sockets->count || its < least)) {
			chosen = i;
			least = its;
		}
	}
	return chosen;
}

bool lg_sockets_turn(struct lg_sockets *sockets, CURLM *multi, uint64_t now_ms,
		     uint64_t (*rank)(CURL *easy))
{
	unsigned place;
	int running;

	if (sockets->full) {
		(void)lg_curl.curl_multi_perform_(multi, &running);
		return false;
	}
	if (now_ms >= sockets->timer_ms) {
		/* Unless it says another. It does not if it finds that it was called a little early. */
		sockets->timer_ms = now_ms + 1;
		(void)lg_curl.curl_multi_socket_action_(multi, CURL_SOCKET_TIMEOUT, 0, &running);
		return true;
	}
	place = choose(sockets, rank);
	if (place == sockets->count)
		return false;
	short ready = sockets->table[place].revents;
	int what = ((ready & (POLLIN | POLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
		   ((ready & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
		   ((ready & (POLLERR | POLLNVAL)) != 0 ? CURL_CSELECT_ERR : 0);
	(void)lg_curl.curl_multi_socket_action_(multi, sockets->table[place].fd, what, &running);
	return true;
}
