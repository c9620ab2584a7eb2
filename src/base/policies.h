/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The names of the pager's own policies, which an option has for its values: pager/policy.h has what they are. */
#ifndef LG_BASE_POLICIES_H
#define LG_BASE_POLICIES_H

/* X(name), the default first. */
#define LG_POLICIES(X)                                                                             \
	X(clock)                                                                                   \
	X(s3fifo)                                                                                  \
	X(fifo)                                                                                    \
	X(lifo)                                                                                    \
	X(plru)                                                                                    \
	X(prnd)                                                                                    \
	X(wiro_f)                                                                                  \
	X(wiro_l)

#define LG_POLICY_ONE(name) +1
enum { LG_POLICY_BUILTIN = LG_POLICIES(LG_POLICY_ONE) };
#undef LG_POLICY_ONE

#endif
