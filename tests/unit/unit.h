/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* cmocka, with what it wants to see before itself. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT_SKIPPED = 77 };

#define UNIT_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
