/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * An attempt: one GET of what a fetch still lacks. All of it is the courier's thread's.
 *
 * The answer is judged before its body: bytes that are not of the object's version never reach the fetch. Of two
 * attempts of one fetch the first that is believed has it; the other is lost.
 */
#ifndef LG_REMOTE_ATTEMPT_H
#define LG_REMOTE_ATTEMPT_H

#include "remote/answer.h"
#include "remote/curl.h"
#include "remote/fetch.h"

enum { LG_ATTEMPT_BODY_BYTES = 4096 };

/* What to do when it is over. */
enum lg_outcome {
	LG_OUTCOME_NOTHING, /* the fetch has what it wanted, or another attempt */
	LG_OUTCOME_AGAIN,   /* ask anew at once: the reason is taken care of */
	LG_OUTCOME_RETRY,   /* ask anew later, unless that was tried enough */
	LG_OUTCOME_FAIL,
};

struct lg_attempt {
	struct lg_attempt *next;
	CURL *easy;
	struct curl_slist *lines;
	struct lg_fetch *fetch; /* NULL: nobody wants it */
	bool ahead;             /* as the fetch was */
	uint64_t rank;          /* among all: the least is served first */
	bool is_judged;
	bool is_believed; /* its body is what was asked for */
	bool is_lost;     /* to be removed */
	bool is_redirected;
	uint64_t from; /* what the fetch had received */
	uint64_t skip; /* of the body, before what is wanted */
	int error;     /* why the answer cannot be used, ever */
	uint64_t wait_ms;
	uint32_t signing; /* the object's, as it was sent */
	uint64_t started_ms;
	uint64_t started_ns;
	bool is_answered; /* its first byte was seen */
	uint64_t progress_ms;
	struct lg_answer answer;
	struct lg_url url;
	size_t body_length;
	char body[LG_ATTEMPT_BODY_BYTES]; /* of an answer that is an error */
};

/* Prepares a GET on its handle, which is then to be given to the multi handle. -errno, noted. */
int lg_attempt_start(struct lg_attempt *attempt, struct lg_fetch *fetch, bool fresh_connection);

/* It is over, with curl's code. *error: the reason, noted in words. */
enum lg_outcome lg_attempt_end(struct lg_attempt *attempt, CURLcode code, int *error);

/* The fetch does without it. */
void lg_attempt_lose(struct lg_attempt *attempt);

#endif
