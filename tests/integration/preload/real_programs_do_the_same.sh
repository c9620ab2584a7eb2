#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# real_programs_do_the_same.sh BUILD SOURCE: programs that know nothing of lgalloc, without and with
# `lgalloc run`, and what they put out is compared. One that is not installed is left out by name.
set -euo pipefail
export LC_ALL=C LANG=C
unset LGALLOC_CONF LD_PRELOAD

lgalloc=$1/lgalloc
source=$2
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
failed=0
tried=0

say() { printf '%s\n' "$*"; }

# same NAME COMMAND...: its stdout and status, alone and under the shim, and again with many small regions.
same() {
	local name=$1 status with
	shift
	command -v "$1" >/dev/null || {
		say "left out: $1 is not installed"
		return 0
	}
	tried=$((tried + 1))
	status=0
	"$@" >"$work/alone" 2>"$work/alone.err" || status=$?
	for options in "" "-m 64K" "-o interval:1ms,second_decay:1ms"; do
		with=0
		# shellcheck disable=SC2086
		"$lgalloc" run $options -- "$@" >"$work/with" 2>"$work/with.err" || with=$?
		if [ "$status" -ne "$with" ] || ! cmp -s "$work/alone" "$work/with"; then
			say "$name ($options): status $status alone, $with under the shim; what it put out:"
			head -c 600 "$work/with.err" "$work/with"
			failed=$((failed + 1))
			return 0
		fi
	done
	say "same: $name"
}

in_directory() { (cd "$1" && shift && "$@"); }

cat >"$work/arrays.py" <<'PYTHON'
import hashlib, os, threading
kept = [bytearray(n << 18) for n in range(1, 60)]
for n, one in enumerate(kept):
    one[-1] = n
def churn(seed):
    for turn in range(100):
        one = bytearray((seed * turn % 23 + 1) << 18)
        one[len(one) // 2] = 7
threads = [threading.Thread(target=churn, args=(n,)) for n in range(1, 5)]
[one.start() for one in threads], [one.join() for one in threads]
child = os.fork()
if child == 0:
    ok = all(one[-1] == n for n, one in enumerate(kept))
    kept[5][0] = 99
    os._exit(0 if ok else 1)
print(os.waitpid(child, 0)[1], kept[5][0])
grown = []
for n in range(2_000_000):
    grown.append(n)
text = "x" * 10_000_000 + "y"
print(sum(grown), hashlib.sha256(text.encode()).hexdigest())
PYTHON

cat >"$work/blobs.sql" <<'SQL'
create table blobs (id integer primary key, bytes blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20)
insert into blobs select i, zeroblob(i * 1000000) from n;
update blobs set bytes = cast(printf('%.*c', id * 300000, 'q') as blob) where id % 3 = 0;
select count(*), sum(length(bytes)) from blobs;
select hex(substr(bytes, 1, 4)), length(replace(bytes, 'q', 'rr')) from blobs where id < 8;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
select sum(length(x)) from (select i % 1000 k, group_concat(i) x from n group by k order by k);
SQL

cat >"$work/buffers.js" <<'JS'
const crypto = require('crypto');
const kept = [];
for (let n = 1; n < 40; n++) kept.push(Buffer.alloc(n * 500000, n));
for (let turn = 0; turn < 300; turn++) kept[turn % 39] = Buffer.allocUnsafe((turn % 29 + 1) * 300000).fill(turn);
console.log(crypto.createHash('sha256').update(Buffer.concat(kept)).digest('hex'));
JS

python3 - "$work/numbers" <<'PYTHON'
import random, sys
random.seed(1)
with open(sys.argv[1], "w") as to:
    for _ in range(700_000):
        to.write(f"{random.getrandbits(48):x}\n")
PYTHON

repository() {
	git init -q "$work/repository"
	in_directory "$work/repository" git config user.name t
	in_directory "$work/repository" git config user.email t@localhost
	for n in 1 2 3 4 5; do
		split -n "l/$n/5" "$work/numbers" >"$work/repository/part" 2>/dev/null ||
			head -c $((n * 2000000)) "$work/numbers" >"$work/repository/part"
		in_directory "$work/repository" git add part
		in_directory "$work/repository" git commit -qm "$n"
	done
}

same "sort" sort -S 256M "$work/numbers"
same "sort, numeric, parallel" sort --parallel=4 -S 64M -g "$work/numbers"
same "xz" xz -3 -T2 -c "$work/numbers"
same "python3" python3 "$work/arrays.py"
same "sqlite3" sqlite3 :memory: ".read $work/blobs.sql"
same "node" node "$work/buffers.js"
same "gcc" gcc -O2 -std=c11 -D_GNU_SOURCE -I"$source/include" -I"$source/src" -S -o - \
	"$source/src/base/option.c" "-ffile-prefix-map=$source=."
if command -v git >/dev/null; then
	repository
	tried=$((tried + 1))
	if "$lgalloc" run -m 64K -- git -C "$work/repository" gc -q 2>"$work/err" &&
		git -C "$work/repository" fsck --full >"$work/out" 2>&1 &&
		[ "$(git -C "$work/repository" rev-list --count HEAD)" = 5 ]; then
		say "same: git gc"
	else
		say "git gc: the repository is not sound"
		cat "$work/err" "$work/out"
		failed=$((failed + 1))
	fi
fi

# A dump made by a forked child while writes go on must load, and hold what was there.
redis() {
	local port=$((20000 + $$ % 20000)) count=60 key
	mkdir -p "$work/redis"
	"$lgalloc" run -- redis-server --port "$port" --bind 127.0.0.1 --dir "$work/redis" --save '' \
		--dbfilename dump.rdb >"$work/redis.log" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		redis-cli -p "$port" ping >/dev/null 2>&1 && break
		sleep 0.1
	done
	head -c 2000000 "$work/numbers" >"$work/value"
	for key in $(seq $count); do
		redis-cli -p "$port" -x set "key:$key" <"$work/value" >/dev/null
	done
	redis-cli -p "$port" bgsave >/dev/null
	for key in $(seq 1 3 $count); do
		redis-cli -p "$port" append "key:$key" more >/dev/null
		redis-cli -p "$port" set "new:$key" "$key" >/dev/null
	done
	while [ "$(redis-cli -p "$port" info persistence | tr -d '\r' | sed -n 's/^rdb_bgsave_in_progress://p')" != 0 ]; do
		sleep 0.1
	done
	redis-cli -p "$port" info persistence | tr -d '\r' | grep '^rdb_last_bgsave_status:ok' >/dev/null || return 1
	redis-cli -p "$port" shutdown nosave >/dev/null 2>&1 || true
	wait "$server" || true
	# Loaded by a server without the shim.
	redis-server --port "$port" --bind 127.0.0.1 --dir "$work/redis" --save '' --dbfilename dump.rdb \
		>"$work/redis2.log" 2>&1 &
	server=$!
	for _ in $(seq 200); do
		[ "$(redis-cli -p "$port" ping 2>/dev/null)" = PONG ] && break
		sleep 0.1
	done
	for key in 1 2 41 $count; do
		redis-cli -p "$port" --raw get "key:$key" | head -c 2000000 | cmp -s - "$work/value" || return 1
	done
	redis-cli -p "$port" shutdown nosave >/dev/null 2>&1 || true
	wait "$server" || true
	server=
}
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
	tried=$((tried + 1))
	if redis; then
		say "same: redis-server, dump during writes"
	else
		say "redis-server: the dump is not what was written"
		tail -n 20 "$work/redis.log"
		failed=$((failed + 1))
	fi
else
	say "left out: redis-server is not installed"
fi

# What a server wrote, indexed and sorted under the shim is what one without it reads and sorts.
postgres_as=()
postgres_serve() {
	(cd "$work/postgres" && exec "${postgres_as[@]}" "$@" "$postgres/postgres" -D data -k "$work/postgres" \
		-c listen_addresses= -c fsync=off -c autovacuum=off >>log 2>&1) &
	server=$!
	for _ in $(seq 200); do
		postgres_ask 'select 1' >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}
postgres_ask() {
	(cd "$work/postgres" && "${postgres_as[@]}" "$postgres/psql" -h "$work/postgres" -U postgres -qAt -c \
		"set work_mem = '400MB'" -c "$1" postgres)
}
postgres_stop() {
	kill -INT "$server"
	wait "$server" || true
	server=
}
postgres() {
	local sorts="select md5(string_agg(aid::text, ',' order by md5(aid::text))), sum(length(filler)) from pgbench_accounts"
	# root has to run it as somebody else, who may not read the build.
	mkdir -p "$work/postgres" "$work/bin"
	cp "$lgalloc" "$(dirname "$lgalloc")/liblgalloc-preload.so" "$work/bin"
	chmod 755 "$work" "$work/bin"
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres: "$work/postgres"
		postgres_as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
	fi
	(cd "$work/postgres" && "${postgres_as[@]}" "$postgres/initdb" -A trust -U postgres -N -D data >log 2>&1) || return 1
	postgres_serve "$work/bin/lgalloc" run -- || return 1
	grep -q liblgalloc-preload "/proc/$server/maps" || return 1
	(cd "$work/postgres" && "${postgres_as[@]}" "$postgres/pgbench" -h "$work/postgres" -U postgres -i -q -s 3 postgres \
		>>log 2>&1) || return 1
	postgres_ask "$sorts" >"$work/with" || return 1
	postgres_stop
	postgres_serve || return 1
	postgres_ask "$sorts" >"$work/alone" || return 1
	postgres_stop
	[ -s "$work/alone" ] && cmp -s "$work/alone" "$work/with"
}
postgres=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort | tail -n 1)
if [ -x "$postgres/postgres" ] && [ -x "$postgres/pgbench" ]; then
	tried=$((tried + 1))
	if postgres; then
		say "same: postgres, tables made and sorted"
	else
		say "postgres: what it wrote or sorted differs, or it did not serve"
		tail -n 20 "$work/postgres/log"
		failed=$((failed + 1))
	fi
else
	say "left out: postgres is not installed"
fi

say "$tried programs, $failed failed"
[ "$failed" -eq 0 ] && [ "$tried" -ge 3 ]
