"""A checkout of its own with a real `make run` in it: real processes, real sockets, real files."""

import contextlib
import json
import os
import pty
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import urllib3

from config.bootstrap.install import INSTALLED
from tests import servers

ROOT = Path(__file__).parents[2]
SOURCES = ("accounts", "config", "leads", "notifications", "templates", "webhooks")
FILES = ("Makefile", "manage.py", "requirements.txt", "requirements-dev.txt")
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
http = urllib3.PoolManager(retries=False, timeout=10, maxsize=16)


def wait_for(condition: Callable[[], Any], seconds: float = 90, pause: float = 0.05) -> Any:
    """The condition's first true value. Raises AssertionError when it does not come."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {getattr(condition, '__name__', condition)}")
        time.sleep(pause)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Checkout:
    """A copy of the project in a path with a space, sharing the virtual environment that runs the tests."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        for name in SOURCES:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        for name in FILES:
            shutil.copy2(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        (folder / "var").mkdir()
        self._skip_installation()

    def environment(self) -> dict[str, str]:
        passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return {**passed_on, "PORT": str(self.port), **self.settings}

    def manage(self, *arguments: str) -> Any:
        """Run a command with --json; its answer."""
        command = [".venv/bin/python", "manage.py", *arguments, "--json"]
        environment = {**self.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
        result = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        lines = result.stdout.splitlines()
        assert len(lines) == 1, result.stdout + result.stderr
        return json.loads(lines[0])

    def at_terminal(self, *arguments: str) -> tuple[int, str]:
        """Run a command at a terminal; its exit code, and what the person sees."""
        near, far = pty.openpty()
        command = [".venv/bin/python", "manage.py", *arguments]
        with subprocess.Popen(
            command, cwd=self.folder, env={**self.environment(), "TERM": "xterm"}, stdin=far, stdout=far, stderr=far
        ) as process:
            os.close(far)
            seen = b""
            with contextlib.suppress(OSError):  # the process has closed it
                while chunk := os.read(near, 65536):
                    seen += chunk
        os.close(near)
        return process.returncode, seen.decode()

    def _skip_installation(self) -> None:
        assert INSTALLED.parent.parent == ROOT
        from hashlib import sha256

        locks = ("requirements.txt", "requirements-dev.txt")
        lines = [f"{sha256((ROOT / lock).read_bytes()).hexdigest()}  {lock}" for lock in locks]
        (self.folder / "var" / "installed").write_text("\n".join(lines) + "\n")


class Run:
    """One `make run`, in a process group of its own as a terminal would make it."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=checkout.folder,
            env=checkout.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()
        self._known: set[psutil.Process] = set()

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            lines.extend(line.rstrip("\n") for line in stream)

    def healthy(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError("make run ended:\n" + "\n".join(self.lines + self.errors))
        try:
            return http.request("GET", f"{self.checkout.url}/healthz", timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def family(self) -> set[psutil.Process]:
        """Every process that this run started, remembered also after its parent is gone."""
        with_children = [self.process.pid] if self.process.poll() is None else []
        for pid in with_children:
            self._known |= {psutil.Process(pid), *psutil.Process(pid).children(recursive=True)}
        return {process for process in self._known if process.is_running() and process.status() != "zombie"}

    def find(self, *words: str) -> list[psutil.Process]:
        return [process for process in self.family() if all(word in process.cmdline() for word in words)]

    def stop(self, number: signal.Signals) -> float:
        """Signal the whole group as a terminal or an init system does; seconds until make ended."""
        self.family()
        began = time.monotonic()
        os.killpg(self.process.pid, number)
        self.process.wait(20)
        return time.monotonic() - began

    def stop_if_running(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGTERM)

    def value(self, label: str) -> str:
        """What the first start printed after this label."""
        [line] = [line for line in self.lines if line.strip().startswith(label)]
        return line.strip().removeprefix(label).strip()


@contextmanager
def running(checkout: Checkout) -> Iterator[Run]:
    run = Run(checkout)
    try:
        wait_for(run.healthy, 240)
        yield run
    except AssertionError:
        sys.stderr.write("\n".join(["what make run wrote:", *run.lines[-20:], *run.errors[-60:]]) + "\n")
        raise
    finally:
        if run.process.poll() is None:
            run.stop(signal.SIGTERM)


@contextmanager
def backend() -> Iterator[dict[str, str]]:
    """The settings of the back end that this run of the suite is for: servers of its own, or none."""
    from tests.settings import SQLITE

    if SQLITE:
        yield {}
        return
    with servers.database(f"leadline_e2e_{secrets.token_hex(4)}") as url, redis_server() as redis_url:
        yield {"DATABASE_URL": url, "REDIS_URL": redis_url}


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of our own, which we may flush."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _connects(port), 10)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def rows(checkout: Checkout, query: str) -> list[tuple[Any, ...]]:
    """Ask the run's own database."""
    url = checkout.settings.get("DATABASE_URL")
    if url:
        with psycopg.connect(url) as server:
            return server.execute(query).fetchall()
    with closing(sqlite3.connect(checkout.folder / "var" / "leadline.sqlite3", timeout=10)) as file, file:
        return file.execute(query).fetchall()


def change(checkout: Checkout, statement: str) -> int:
    """Change rows of the run's own database behind its back. Return how many."""
    url = checkout.settings.get("DATABASE_URL")
    if url:
        with psycopg.connect(url) as server:
            return server.execute(statement).rowcount
    with closing(sqlite3.connect(checkout.folder / "var" / "leadline.sqlite3", timeout=30)) as file, file:
        return file.execute(statement).rowcount


def is_writable(checkout: Checkout) -> bool:
    """Whether nobody holds SQLite's lock for writing at this moment."""
    if "DATABASE_URL" in checkout.settings:
        return True
    with closing(sqlite3.connect(checkout.folder / "var" / "leadline.sqlite3", timeout=1)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True
