/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The servers: threads that answer faults of others, with `faults:threads`. Each reads a few messages at a
 * time; a page that several wait for is brought in once, and all are woken.
 */
#ifndef LG_PAGER_SERVER_H
#define LG_PAGER_SERVER_H

struct lg_pager;

void *lg_server_run(void *pager);

/*
 * The map is not in the atlas any more: returns when no server is at work on it. A message may be read long
 * after somebody else has served its page.
 */
void lg_server_leave(struct lg_pager *pager);

#endif
