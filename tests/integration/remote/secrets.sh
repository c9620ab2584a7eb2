#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# secrets.sh LGALLOC, by with_servers.sh: whatever goes wrong, no output has a secret, nor what else tells them: passwords
# and signatures in URLs. MAKER is the program that makes the objects.
set -eu

if [ "$1" = make ]; then
	exec "$MAKER" "$@"
fi
lgalloc=$1
failed=0
said=0

faults() {
	python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], sys.argv[2].encode())' "$FAULTY/__faults" "$1"
}

# silent ARGUMENT...: the command fails, says why, and that is no secret.
silent() {
	local status=0
	"$lgalloc" cat "$@" >out 2>&1 || status=$?
	if [ $status -ne 1 ] && [ $status -ne 2 ] || [ ! -s out ] || grep -q 'hunter' out; then
		echo "lgalloc cat $*: status $status: $(cat out)"
		failed=1
	fi
	said=$((said + 1))
}

# By options: every error of theirs, before, at and behind the secret.
keys=access_key:AKID,secret_key:hunter2,session_token:hunter3
silent -o "$keys,nonsense:1" s3://bucket/key
silent -o "$keys,deadline:hunter" s3://bucket/key
silent -o "$keys,secret_key" s3://bucket/key
silent -o "secret_key:hunter2,with,commas" s3://bucket/key
silent -o "secret_key:hunter2" s3://bucket/key
silent -o "secret_key:$(printf 'hunter2%0300d' 0)" s3://bucket/key
silent -o "endpoint:http://user:hunter2@127.0.0.1:1" -o "$keys" s3://bucket/key
silent -o "$keys,endpoint:http://user:hunter2@127.0.0.1:1" s3://bucket/key
silent -o "$keys,endpoint:http://127.0.0.1:1,deadline:200ms" s3://bucket/key
# In URLs.
silent "https://user:hunter2@127.0.0.1/"
silent "s3://AKID:hunter2@bucket/key"
silent "$PLAIN/missing?X-Amz-Signature=hunter2"
silent "http://127.0.0.1:1/x?X-Amz-Signature=hunter2" -o deadline:200ms
silent "$PLAIN/denied?token=hunter2"
# In the environment, and in a file with half of a pair.
export AWS_ENDPOINT_URL=$FAULTY AWS_ACCESS_KEY_ID=AKID AWS_SECRET_ACCESS_KEY=hunter2 AWS_SESSION_TOKEN=hunter3
for fault in '"status":403' '"status":404' \
	'"status":307,"headers":{"location":"http://user:hunter2@127.0.0.1:1/"}' '"headers":{"content-range":"hunter2"}'; do
	faults "[{$fault,\"always\":true}]"
	silent s3://bucket/key
done
unset AWS_ACCESS_KEY_ID
silent s3://bucket/key
unset AWS_SECRET_ACCESS_KEY
printf '[default]\naws_secret_access_key = hunter2\n' >credentials
AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials silent s3://bucket/key
[ $said -eq 20 ] || { echo "$said commands were tried"; failed=1; }
exit $failed
