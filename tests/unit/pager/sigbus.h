/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * cmocka has a handler of its own for SIGBUS in every test, and takes it away afterwards, together with the
 * pager's. It asks by signal(), which a program may have its own of: SIGBUS stays whose it is.
 */
#ifndef UNIT_PAGER_SIGBUS_H
#define UNIT_PAGER_SIGBUS_H

#include <signal.h>

__sighandler_t signal(int number, __sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, before;

	if (number == SIGBUS)
		return SIG_DFL;
	return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

#endif
