"""A PostgreSQL and a Redis of our own on free ports, which may be stopped, and a proxy that closes connections."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.e2e.stack import free_port, wait_for

DATABASE = "postgres"


class PostgreSQL:
    """A cluster in a folder of its own. As root it runs as the user `postgres`, since PostgreSQL refuses root."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder / "cluster"
        self._log = folder / "log"
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", str(self._folder))
        with (self._folder / "postgresql.conf").open("a") as settings:
            settings.write(f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\n")
            settings.write("fsync=off\nmax_connections=100\n")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-D", str(self._folder), "-l", str(self._log))

    def stop(self) -> None:
        """Stop it hard, as a crash does."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(self._folder))

    def execute(self, *statements: str) -> list[Any]:
        """Run statements, each committed by itself. Return the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def terminate_connections(self) -> int:
        """Terminate every session but this one. Return how many there were."""
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return len(self.execute(f"SELECT pg_terminate_backend(pid) {others}"))

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd="/")


class RedisServer:
    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self._answers, 10)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, pause: float = 0.0) -> None:
        self.stop()
        time.sleep(pause)
        self.start()

    def execute(self, *command: str) -> Any:
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.execute("PING"))
        return False


class Proxy:
    """Passes bytes on to a port, and closes its connections as a pooler does that restarts or has had enough."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.closed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close_connections(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            self._close(pair)
        self.closed += len(pairs)

    def close(self) -> None:
        self._listener.close()
        self.close_connections()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        self._close((source, sink))

    @staticmethod
    def _close(pair: tuple[socket.socket, socket.socket]) -> None:
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def own_servers() -> Iterator[tuple[PostgreSQL, RedisServer, Proxy]]:
    with tempfile.TemporaryDirectory(prefix="leadline-servers-") as folder:
        database, broker = PostgreSQL(Path(folder)), RedisServer()
        database.start()
        try:
            broker.start()
            proxy = Proxy(database.port)
            try:
                yield database, broker, proxy
            finally:
                proxy.close()
                broker.stop()
        finally:
            database.stop()
