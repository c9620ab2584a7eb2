/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/attempt.h"

#include "base/bits.h"
#include "os/clock.h"
#include "remote/request.h"
#include "remote/tally.h"

#include <errno.h>
#include <string.h>

enum {
	CONNECT_MS = 5000,
	RECEIVE_BYTES = 256 << 10,
	HOPS_MOST = 5,
	KEEPALIVE_S = 60,
};

/* A server that knows no ranges sends all of the object for each: more than this is refused. */
#define WHOLE_MOST LG_MIB(16)

/* --- the answer --------------------------------------------------------------------------------- */

void lg_attempt_lose(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;

	for (unsigned i = 0; fetch != NULL && i < LG_FETCH_ATTEMPTS; i++)
		if (fetch->attempts[i] == attempt)
			fetch->attempts[i] = NULL;
	attempt->fetch = NULL;
	attempt->is_lost = true;
}

/* This one's body is the fetch's. */
static void believe(struct lg_attempt *attempt, uint64_t skip)
{
	struct lg_fetch *fetch = attempt->fetch;

	attempt->is_believed = true;
	attempt->skip = skip;
	for (unsigned i = 0; i < LG_FETCH_ATTEMPTS; i++)
		if (fetch->attempts[i] != NULL && fetch->attempts[i] != attempt)
			lg_attempt_lose(fetch->attempts[i]);
}

static int check_version(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;
	int error;

	if (!fetch->opening)
		return lg_object_check(fetch->object, &attempt->answer);
	if (fetch->object->is_known) /* resumed */
		return attempt->answer.status == 416 ?
			       -ESTALE :
			       lg_object_check(fetch->object, &attempt->answer);
	error = lg_object_learn(fetch->object, &attempt->answer);
	if (error == 0)
		fetch->length = lg_min(fetch->length, fetch->object->bytes);
	return error;
}

static int judge_part(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;
	const struct lg_answer *answer = &attempt->answer;

	if (!answer->has_range)
		return lg_object_fail(fetch->object, EIO,
				      "a part came without a Content-Range that says which");
	int error = check_version(attempt);
	if (error != 0)
		return error;
	if (answer->first != fetch->offset + attempt->from)
		return lg_object_fail(fetch->object, EIO,
				      "asked for bytes from %llu on, got those from %llu",
				      (unsigned long long)(fetch->offset + attempt->from),
				      (unsigned long long)answer->first);
	believe(attempt, 0);
	return 0;
}

static int judge_whole(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;
	int error = check_version(attempt);

	if (error != 0)
		return error;
	if (fetch->object->bytes > WHOLE_MOST)
		return lg_object_fail(
			fetch->object, EOPNOTSUPP,
			"the server sends no parts of it, and it is too long to be sent "
			"whole for each: %llu bytes",
			(unsigned long long)fetch->object->bytes);
	believe(attempt, fetch->offset + attempt->from);
	return 0;
}

/* Before the body, or where there is none. */
static void judge(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;
	int status = attempt->answer.status;

	attempt->is_judged = true;
	if (status == 206)
		attempt->error = judge_part(attempt);
	else if (status == 200)
		attempt->error = judge_whole(attempt);
	else if (status == 416 && fetch->opening)
		attempt->error = check_version(attempt);
}

/* --- what curl calls ---------------------------------------------------------------------------- */

static size_t take_line(char *line, size_t size, size_t count, void *argument)
{
	struct lg_attempt *attempt = argument;

	if (attempt->is_lost)
		return 0;
	attempt->progress_ms = lg_os_now_ms();
	if (!attempt->is_answered)
		lg_times_note(&lg_remote_tally.first_byte_ns, lg_os_now_ns() - attempt->started_ns);
	attempt->is_answered = true;
	lg_answer_line(&attempt->answer, line, size * count);
	return size * count;
}

/* All there: whoever waits goes on, and the rest of the answer is nobody's. */
static void complete(struct lg_attempt *attempt)
{
	struct lg_fetch *fetch = attempt->fetch;

	lg_attempt_lose(attempt);
	attempt->is_lost = false; /* let it end by itself, for its connection's sake */
	lg_fetch_finish(fetch, 0);
}

static void take_bytes(struct lg_attempt *attempt, const char *data, size_t bytes)
{
	struct lg_fetch *fetch = attempt->fetch;
	uint64_t skipped = lg_min(attempt->skip, bytes), wanted = fetch->length - fetch->received;

	attempt->skip -= skipped;
	data += skipped;
	bytes -= skipped;
	lg_fetch_deliver(fetch, data, lg_min(bytes, wanted));
	if (fetch->received == fetch->length)
		complete(attempt);
}

static size_t take_body(char *data, size_t size, size_t count, void *argument)
{
	struct lg_attempt *attempt = argument;
	size_t bytes = size * count, kept;

	lg_remote_count(bytes_fetched, bytes);
	if (attempt->fetch == NULL)
		return 0; /* more than was wanted */
	attempt->progress_ms = lg_os_now_ms();
	if (!attempt->is_judged)
		judge(attempt);
	if (attempt->error != 0)
		return 0;
	if (attempt->is_believed) {
		take_bytes(attempt, data, bytes);
		return bytes;
	}
	kept = lg_min(bytes, sizeof(attempt->body) - attempt->body_length);
	memcpy(attempt->body + attempt->body_length, data, kept);
	attempt->body_length += kept;
	return bytes;
}

/* --- asking ------------------------------------------------------------------------------------- */

#define SET(option, value)                                                                         \
	(error = error == CURLE_OK ? lg_curl.curl_easy_setopt_(attempt->easy, option, value) :     \
				     error)

static CURLcode set_up(struct lg_attempt *attempt, const char *url, bool fresh_connection)
{
	const struct lg_remote_options *options = &attempt->fetch->object->options;
	CURLcode error = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTPHEADER, attempt->lines);
	SET(CURLOPT_USERAGENT, "lgalloc");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_NOPROGRESS, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
	SET(CURLOPT_FRESH_CONNECT, fresh_connection ? 1L : 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's words are not the server's */
	SET(CURLOPT_HEADERFUNCTION, take_line);
	SET(CURLOPT_HEADERDATA, attempt);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, attempt);
	if (options->ca_file[0] != '\0')
		SET(CURLOPT_CAINFO, options->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Who gives up a name that is not resolved does not wait for the resolver. Before 7.87 there is no such option. */
	(void)lg_curl.curl_easy_setopt_(attempt->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	return error;
}

int lg_attempt_start(struct lg_attempt *attempt, struct lg_fetch *fetch, bool fresh_connection)
{
	struct lg_object *object = fetch->object;
	char url[LG_URL_TEXT_BYTES];

	attempt->fetch = fetch;
	attempt->ahead = fetch->ahead;
	attempt->is_answered = attempt->is_judged = attempt->is_believed = attempt->is_lost = false;
	attempt->from = fetch->received;
	attempt->skip = attempt->wait_ms = 0;
	attempt->body_length = 0;
	attempt->error = 0;
	attempt->started_ms = attempt->progress_ms = lg_os_now_ms();
	attempt->started_ns = lg_os_now_ns();
	attempt->is_redirected = object->is_redirected;
	attempt->url = object->is_redirected ? object->destination : object->address;
	lg_answer_start(&attempt->answer);
	lg_curl.curl_easy_reset_(attempt->easy);
	attempt->signing = object->signings;
	int error = lg_request_make(object, &attempt->url, fetch->offset + fetch->received,
				    fetch->offset + fetch->length - 1, &attempt->lines);
	if (error != 0)
		return error;
	lg_url_text(&attempt->url, url);
	CURLcode code = set_up(attempt, url, fresh_connection);
	if (code == CURLE_OK)
		return 0;
	return lg_object_fail(object, code == CURLE_OUT_OF_MEMORY ? ENOMEM : EIO,
			      "it cannot be asked for: %s", lg_curl.curl_easy_strerror_(code));
}

/* --- the end ------------------------------------------------------------------------------------ */

/* No answer, or half of one. */
static enum lg_outcome end_of_transport(struct lg_attempt *attempt, CURLcode code, int *error)
{
	struct lg_object *object = attempt->fetch->object;
	const char *words = lg_curl.curl_easy_strerror_(code);

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		*error = lg_object_fail(object, EHOSTUNREACH, "%s", words);
		return LG_OUTCOME_RETRY;
	case CURLE_COULDNT_CONNECT:
		*error = lg_object_fail(object, ECONNREFUSED, "%s", words);
		return LG_OUTCOME_RETRY;
	case CURLE_OPERATION_TIMEDOUT:
		*error = lg_object_fail(object, ETIMEDOUT, "%s", words);
		return LG_OUTCOME_RETRY;
	case CURLE_PEER_FAILED_VERIFICATION:
		*error = lg_object_fail(object, EPROTO,
					"the server's certificate is not trusted (ca_file): %s",
					words);
		return LG_OUTCOME_FAIL;
	case CURLE_SSL_CACERT_BADFILE:
		*error = lg_object_fail(object, EPROTO, "option ca_file: %s", words);
		return LG_OUTCOME_FAIL;
	case CURLE_OUT_OF_MEMORY:
		*error = lg_object_fail(object, ENOMEM, "%s", words);
		return LG_OUTCOME_FAIL;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		*error = lg_object_fail(object, EINVAL, "%s", words);
		return LG_OUTCOME_FAIL;
	case CURLE_OK:
		*error = lg_object_fail(object, ECONNRESET, "the answer ended too early");
		return LG_OUTCOME_RETRY;
	default:
		*error = lg_object_fail(object, ECONNRESET, "%s", words);
		return LG_OUTCOME_RETRY;
	}
}

static enum lg_outcome end_of_redirect(struct lg_attempt *attempt, int *error)
{
	struct lg_fetch *fetch = attempt->fetch;
	struct lg_object *object = fetch->object;
	struct lg_url to;

	if (lg_object_is_signed(object)) {
		*error = lg_object_fail(object, EACCES,
					"the server redirects elsewhere (%d), where "
					"credentials are not sent",
					attempt->answer.status);
		return LG_OUTCOME_FAIL;
	}
	if (fetch->hops++ == HOPS_MOST) {
		*error = lg_object_fail(object, ELOOP, "more than %d redirects", HOPS_MOST);
		return LG_OUTCOME_FAIL;
	}
	if (lg_url_redirect(&attempt->url, attempt->answer.location, &to) != 0) {
		*error = lg_object_fail(object, EINVAL,
					"it redirects to what is no http or https URL");
		return LG_OUTCOME_FAIL;
	}
	if (attempt->url.scheme == LG_URL_HTTPS && to.scheme == LG_URL_HTTP) {
		*error = lg_object_fail(object, EACCES,
					"it redirects from https to http, which is refused");
		return LG_OUTCOME_FAIL;
	}
	object->destination = to;
	object->is_redirected = true;
	return LG_OUTCOME_AGAIN;
}

/* The S3 error's code, or nothing. */
static void find_code(const struct lg_attempt *attempt, char code[64])
{
	if (!lg_answer_element(attempt->body, attempt->body_length, "Code", code, 64))
		code[0] = '\0';
}

/* As for a wrong region or keys. */
static bool is_refusal(int status)
{
	return status == 301 || status == 307 || status == 400 || status == 403;
}

/* Region, credentials and clock can be put right, each once. */
static bool put_right(struct lg_attempt *attempt, const char *code)
{
	struct lg_fetch *fetch = attempt->fetch;
	struct lg_object *object = fetch->object;
	char region[LG_REGION_BYTES];
	int64_t date;

	if (!lg_object_is_signed(object))
		return false;
	if (attempt->signing != object->signings && is_refusal(attempt->answer.status))
		return true; /* another's answer did it, since this was sent */
	memcpy(region, attempt->answer.region, sizeof(region));
	if ((region[0] != '\0' || lg_answer_element(attempt->body, attempt->body_length, "Region",
						    region, sizeof(region))) &&
	    lg_object_follow_region(object, region))
		return true;
	if (strcmp(code, "RequestTimeTooSkewed") == 0 && !fetch->skewed &&
	    lg_answer_date(attempt->answer.date, &date)) {
		fetch->skewed = true;
		object->skew_s = date - (int64_t)(lg_os_unix_ms() / 1000);
		return true;
	}
	if (attempt->answer.status != 400 && attempt->answer.status != 403)
		return false;
	if (fetch->renewed)
		return false;
	fetch->renewed = true;
	return lg_object_renew(object);
}

static int error_of_status(struct lg_object *object, const struct lg_answer *answer,
			   const char *code)
{
	bool has_code = code[0] != '\0';
	const char *open = has_code ? " (" : "", *close = has_code ? ")" : "";

	switch (answer->status) {
	case 401:
	case 403:
		return lg_object_fail(object, EACCES, "access is denied: %d%s%s%s", answer->status,
				      open, code, close);
	case 404:
	case 410:
		return lg_object_fail(object, ENOENT, "it is not there: %d%s%s%s", answer->status,
				      open, code, close);
	case 412:
		return lg_object_fail(object, ESTALE, "it changed: the server has another version");
	case 416:
		return lg_object_fail(object, ESTALE, "it changed: it became shorter");
	default:
		return lg_object_fail(object, EIO, "the server answered %d%s%s%s", answer->status,
				      open, code, close);
	}
}

static bool is_passing(int status)
{
	return status == 408 || status == 429 || status >= 500;
}

/* An answer that is neither 200 nor 206. */
static enum lg_outcome end_of_status(struct lg_attempt *attempt, int *error)
{
	struct lg_fetch *fetch = attempt->fetch;
	struct lg_object *object = fetch->object;
	int status = attempt->answer.status;
	char code[64];

	find_code(attempt, code);
	*error = error_of_status(object, &attempt->answer, code);
	attempt->wait_ms = lg_answer_wait_ms(&attempt->answer, (int64_t)(lg_os_unix_ms() / 1000));
	if (is_passing(status) || strcmp(code, "RequestTimeout") == 0)
		return LG_OUTCOME_RETRY;
	if (put_right(attempt, code))
		return LG_OUTCOME_AGAIN;
	if (status >= 300 && status < 400 && attempt->answer.location[0] != '\0')
		return end_of_redirect(attempt, error);
	if (attempt->is_redirected && fetch->hops == 0 && !fetch->came_home && status != 412) {
		/* Where it led once it leads no more: ask where again. */
		fetch->came_home = true;
		object->is_redirected = false;
		return LG_OUTCOME_AGAIN;
	}
	return LG_OUTCOME_FAIL;
}

enum lg_outcome lg_attempt_end(struct lg_attempt *attempt, CURLcode code, int *error)
{
	struct lg_fetch *fetch = attempt->fetch;
	int status = attempt->answer.status;

	lg_curl.curl_slist_free_all_(attempt->lines);
	attempt->lines = NULL;
	if (fetch == NULL)
		return LG_OUTCOME_NOTHING;
	if (!attempt->is_judged && status != 0 && (code == CURLE_OK || status >= 300))
		judge(attempt);
	*error = attempt->error;
	if (attempt->error != 0)
		return LG_OUTCOME_FAIL;
	if (fetch->opening && fetch->object->is_known && fetch->object->bytes == 0) {
		complete(attempt);
		return LG_OUTCOME_NOTHING;
	}
	if (attempt->is_believed) {
		enum lg_outcome outcome = end_of_transport(attempt, code, error);

		/* A server may give less than was asked for; it may be asked for the rest. */
		return code == CURLE_OK && fetch->received > attempt->from ? LG_OUTCOME_AGAIN :
									     outcome;
	}
	if (!attempt->is_judged)
		return end_of_transport(attempt, code, error);
	return end_of_status(attempt, error);
}
