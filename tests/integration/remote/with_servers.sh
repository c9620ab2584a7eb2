#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# with_servers.sh PROGRAM [ARGUMENT...]: runs the program with servers of its own on 127.0.0.1, which end with it. It finds in its
# environment
#
#   WWW          the directory that is served; big (64 MiB), odd, one, empty are there, made by `PROGRAM make FILE BYTES`
#   PLAIN        http://127.0.0.1:port    nginx: /FILE; /whole/FILE without ranges, /bare/FILE without ETag and Last-Modified,
#                                         /dated/FILE without ETag, /moved/FILE a redirect to /FILE, /loop one to itself
#   SECURE       https://127.0.0.1:port   the same, by CA; /down/FILE a redirect to PLAIN
#   MISNAMED     https://127.0.0.1:port   with a certificate of another host, by CA
#   FLIPPED      https://127.0.0.1:port   flipping_proxy.js before SECURE
#   CA           the certificate's file
#   FAULTY       http://127.0.0.1:port    fault_proxy.js before PLAIN
#   FAULTY_PORT  its port
#   SLOW_MS      if set, each request to /slow/FILE of PLAIN takes so long
set -eu

here=$(cd "$(dirname "$0")" && pwd)
export PATH=$PATH:/usr/sbin
. "$here/servers.sh"
needs nginx node openssl python3
read -r plain secure misnamed faulty flipped <<<"$(ports 5)"

cd "$dir"
mkdir -p www tmp
"$1" make www/big $((64 << 20))
"$1" make www/odd 1000003
"$1" make www/one 1
: >www/empty

sign() { # NAME SUBJECT_ALT_NAME
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(echo "subjectAltName=$2") 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=lgalloc-test 2>/dev/null
sign server IP:127.0.0.1
sign other DNS:example.invalid

modules=
slow=
if [ -e /usr/lib/nginx/modules/ngx_http_echo_module.so ]; then
	modules='load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;'
	delay=$(python3 -c "print(${SLOW_MS:-20} / 1000)")
	slow="location /slow/ { echo_sleep $delay; echo_exec @file; }
		location @file { rewrite ^/slow/(.*)\$ /\$1 break; }"
fi
locations="
		root $dir/www;
		gzip on; gzip_types *; gzip_min_length 1;
		location / { }
		location /whole/ { alias $dir/www/; max_ranges 0; }
		location /bare/ { alias $dir/www/; etag off; if_modified_since off; add_header Last-Modified ''; }
		location /dated/ { alias $dir/www/; etag off; }
		location /moved/ { rewrite ^/moved/(.*)\$ /\$1 redirect; }
		location /loop { return 302 /loop; }
		location /down/ { rewrite ^/down/(.*)\$ http://127.0.0.1:$plain/\$1 redirect; }
		location /denied { return 403; }
		$slow"
user=
[ "$(id -u)" -ne 0 ] || user='user root;' # the directory is ours alone
cat >nginx.conf <<X
$user
$modules
daemon off; pid $dir/nginx.pid; error_log $dir/error.log; worker_processes 1;
events { worker_connections 512; }
http {
	access_log off; sendfile on; tcp_nopush on; absolute_redirect off; keepalive_requests 1000000;
	client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
	default_type application/octet-stream;
	server { listen 127.0.0.1:$plain; $locations }
	server { listen 127.0.0.1:$secure ssl; ssl_certificate $dir/server.pem; ssl_certificate_key $dir/server.key; $locations }
	server { listen 127.0.0.1:$misnamed ssl; ssl_certificate $dir/other.pem; ssl_certificate_key $dir/other.key; $locations }
}
X
nginx -p "$dir" -c "$dir/nginx.conf" 2>"$dir/nginx.err" &
pids="$pids $!"
node "$here/fault_proxy.js" "$faulty" "$plain" &
pids="$pids $!"
node "$here/flipping_proxy.js" "$flipped" "$secure" &
pids="$pids $!"
for port in "$plain" "$faulty" "$flipped"; do
	for i in $(seq 200); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		[ "$i" -lt 200 ] || { echo "a server did not start:"; cat "$dir/nginx.err" "$dir/error.log"; exit 1; }
		sleep 0.1
	done
done

export HOME=$dir WWW=$dir/www CA=$dir/ca.pem PLAIN=http://127.0.0.1:$plain SECURE=https://127.0.0.1:$secure \
	MISNAMED=https://127.0.0.1:$misnamed FLIPPED=https://127.0.0.1:$flipped FAULTY=http://127.0.0.1:$faulty FAULTY_PORT=$faulty
status=0
"$@" || status=$?
exit $status
