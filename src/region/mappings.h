/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The budget of mappings. The kernel allows a process some 65 530; moving pages splits them for good,
 * until the area is unmapped. An eighth is ours to split; beyond it resize copies.
 */
#ifndef LG_REGION_MAPPINGS_H
#define LG_REGION_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

void lg_mappings_start(void);

/* False: the budget is used up. */
bool lg_mappings_take(uint32_t count);
void lg_mappings_give(uint32_t count);

#endif
