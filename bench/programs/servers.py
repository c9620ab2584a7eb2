# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Servers: started under a lane on 127.0.0.1, loaded by clients without it, and watched while idle."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

from lane import Lane
from process import Failed, Idling, Use, anonymous_of, peak_of

START_SECONDS = 60


def which(program: str) -> str | None:
    """In PATH, or where Debian keeps the server's programs of PostgreSQL."""
    debian = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{program}"))
    return debian[-1] if debian else shutil.which(program)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _until(true, what: str) -> None:
    end = time.monotonic() + START_SECONDS
    while not true():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {START_SECONDS} s")
        time.sleep(0.05)


def _quiet(command: list[str], **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def _clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "LGALLOC_CONF")}


def redis(lane: Lane, directory: pathlib.Path) -> Idling:
    port = str(_free_port())
    with (directory / "log").open("w") as log:
        server = subprocess.Popen(
            lane.command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", directory),
            env=lane.environment(), stdout=log, stderr=log)

    def ask(*words: str) -> str:
        return _quiet(["redis-cli", "-p", port, *words], env=_clean_environment()).stdout.strip()

    def benchmark(*words: str) -> None:
        done = _quiet(["redis-benchmark", "-p", port, "-q", "-c", "4", *words], env=_clean_environment())
        if done.returncode != 0:
            raise Failed(f"redis-benchmark: {done.stderr[-500:]}")

    try:
        _until(lambda: ask("ping") == "PONG", "redis-server")
        start = time.monotonic()
        benchmark("-t", "set", "-d", "1500000", "-r", "150", "-n", "700")
        ask("bgsave")
        benchmark("-t", "set", "-d", "5000000", "-r", "100", "-n", "200")
        benchmark("-t", "get", "-d", "5000000", "-r", "150", "-n", "300")
        _until(lambda: "rdb_bgsave_in_progress:0" in ask("info", "persistence"), "bgsave")
        use = Use(time.monotonic() - start, peak_of(server.pid))
        if "rdb_last_bgsave_status:ok" not in ask("info", "persistence"):
            raise Failed("redis-server: the dump failed")
        ask("flushall")
    except BaseException:
        server.kill()
        server.wait()
        raise

    def end() -> None:
        ask("shutdown", "nosave")
        server.wait()

    return Idling(use, server.pid, end)


SORTS = """\
set work_mem = '1GB';
set max_parallel_workers_per_gather = 0;
set hash_mem_multiplier = 1;
select count(*) from (select * from pgbench_accounts order by md5(aid::text) offset 0) one;
select count(*) from (select * from pgbench_accounts order by filler, -aid offset 0) two;
select 'do' || 'ne';
"""


class _Cluster:
    """A server of its own, which root has to run as somebody else."""

    def __init__(self, lane: Lane, directory: pathlib.Path):
        self._lane, self._directory, self._port = lane, directory, str(_free_port())
        self._as: list[str] = []
        if os.geteuid() == 0:
            self._as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)

    def client(self, program: str, *words: str) -> list[str]:
        return [*self._as, which(program), "-h", str(self._directory), "-p", self._port, *words]

    def start(self) -> None:
        data = self._directory / "data"
        made = _quiet([*self._as, which("initdb"), "-A", "trust", "-U", "postgres", "-N", "-D", str(data)],
                      env=_clean_environment(), cwd=self._directory)
        if made.returncode != 0:
            raise Failed(f"initdb: {made.stderr[-500:]}")
        with (self._directory / "log").open("w") as log:
            self.server = subprocess.Popen(
                [*self._as, *self._lane.command(
                    which("postgres"), "-D", data, "-k", self._directory, "-p", self._port,
                    "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=256MB",
                    "-c", "maintenance_work_mem=512MB", "-c", "autovacuum=off", "-c", "max_wal_size=4GB")],
                env=self._lane.environment(), stdout=log, stderr=log, cwd=self._directory)
        _until(lambda: _quiet(self.client("psql", "-U", "postgres", "-c", "select 1"),
                              env=_clean_environment(), cwd=self._directory).returncode == 0, "postgres")

    def stop(self) -> None:
        self.server.send_signal(signal.SIGINT)
        self.server.wait()


def postgres(lane: Lane, directory: pathlib.Path) -> Idling:
    cluster = _Cluster(lane, directory)
    cluster.start()
    try:
        start = time.monotonic()
        loaded = _quiet(cluster.client("pgbench", "-U", "postgres", "-i", "-q", "-s", "20", "postgres"),
                        env=_clean_environment(), cwd=directory)
        if loaded.returncode != 0:
            raise Failed(f"pgbench: {loaded.stderr[-500:]}")
        session = subprocess.Popen(cluster.client("psql", "-U", "postgres", "-qAt", "postgres"), cwd=directory,
                                   env=_clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        session.stdin.write(SORTS)
        session.stdin.flush()
        answers = []
        for line in session.stdout:
            answers.append(line.strip())
            if answers[-1] == "done":
                break
        if answers != ["2000000", "2000000", "done"]:
            raise Failed(f"psql answered {answers}")
        use = Use(time.monotonic() - start, peak_of(cluster.server.pid))
    except BaseException:
        cluster.stop()
        raise

    def end() -> None:
        session.stdin.close()
        session.wait()
        cluster.stop()

    return Idling(use, cluster.server.pid, end)
