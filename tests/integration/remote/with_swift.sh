#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# with_swift.sh PROGRAM [ARGUMENT...]: runs the program with OpenStack Swift's S3 API on 127.0.0.1, which checks signatures, and ends with it. It
# finds in its environment ENDPOINT, and in bucket "bucket": "odd" and "odd name/=&+ä?" (1000003 bytes, made by `PROGRAM make FILE
# BYTES`) and "empty". Key test:tester, secret testing, region us-east-1.
set -eu

. "$(dirname "$0")/servers.sh"
needs swift-proxy-server swift-object-server swift-ring-builder curl python3
cd "$dir"
mkdir -p srv/d1
user=$(id -un)
read -r object container account proxy <<<"$(ports 4)"

for kind in object container account; do
	port=${!kind}
	swift-ring-builder $kind.builder create 4 1 0 >/dev/null
	swift-ring-builder $kind.builder add "r1z1-127.0.0.1:$port/d1" 1 >/dev/null
	swift-ring-builder $kind.builder rebalance >/dev/null || true
	cat >$kind-server.conf <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
devices = $dir/srv
mount_check = false
swift_dir = $dir
user = $user
fallocate_reserve = 0
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
replication_server = false
X
done
cat >proxy-server.conf <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $proxy
workers = 0
swift_dir = $dir
user = $user
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
X
for kind in object container account proxy; do
	swift-$kind-server $kind-server.conf -v >$kind.log 2>&1 &
	pids="$pids $!"
done
export ENDPOINT=http://127.0.0.1:$proxy HOME=$dir
for i in $(seq 200); do
	curl -sf "$ENDPOINT/healthcheck" >/dev/null && break
	[ "$i" -lt 200 ] || { echo "swift did not start:"; tail -n 5 ./*.log; exit 1; }
	sleep 0.1
done

# Signed by other code than what is tested.
cat >put.py <<'X'
import datetime, hashlib, hmac, sys, urllib.parse, urllib.request

def put(endpoint, path, body):
    host = urllib.parse.urlsplit(endpoint).netloc
    path = urllib.parse.quote(path, safe="/-._~")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    request = f"PUT\n{path}\n\nhost:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{now}\n\n{names}\n{digest}"
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4testing"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers = {"x-amz-content-sha256": digest, "x-amz-date": now, "Authorization":
               f"AWS4-HMAC-SHA256 Credential=test:tester/{scope}, SignedHeaders={names}, Signature={signature}"}
    urllib.request.urlopen(urllib.request.Request(endpoint + path, body, headers, method="PUT"))

with open("odd", "rb") as file:
    odd = file.read()
for path, body in [("/bucket", b""), ("/bucket/odd", odd), ("/bucket/odd name/=&+\u00e4?", odd), ("/bucket/empty", b"")]:
    put(sys.argv[1], path, body)
X
"$1" make odd 1000003
# The servers behind the proxy may be later than it: 503, to be asked again.
for i in $(seq 60); do
	python3 put.py "$ENDPOINT" 2>put.errors && break
	[ "$i" -lt 60 ] || { cat put.errors; exit 1; }
	sleep 0.5
done
status=0
"$@" || status=$?
exit $status
