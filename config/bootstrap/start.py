"""Run `make run`: prepare keys, migrations and demonstration data, then supervise web, workers and scheduler."""

import contextlib
import fcntl
import logging.config
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NoReturn

from config.bootstrap import banner, state
from config.bootstrap.envfile import ROOT, write_settings
from config.bootstrap.supervisor import Child, Supervisor
from config.ops.logs import LOGGING, configure_structlog
from config.processes import die_with_parent

VAR = ROOT / "var"


def main(arguments: list[str]) -> int:
    if "--stop-with-parent" in arguments:
        die_with_parent(signal.SIGTERM)
    close_to_others(VAR)
    alone = _only_one()
    port = _port()
    listener = _reserve(port)
    write_settings(port)
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    fingerprint = state.fingerprint()
    if state.is_prepared(fingerprint):
        banner.print_banner(None)
    else:
        _set_up()
        state.mark_prepared(fingerprint)
    listener.listen(2048)
    code = _supervise(listener, port)
    alone.close()
    return code


def close_to_others(folder: Path) -> None:
    """Restrict the folder and its content to its owner, also what an earlier version wrote."""
    os.umask(0o077)
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(OSError):  # deleted meanwhile, or another user's
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)


def _only_one() -> IO[str]:
    lock = (VAR / "run.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _fail("`make run` already runs in this checkout.")
    return lock


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        _fail(f"PORT is {text!r}: it must be a number from 1 to 65535.")
    return int(text)


def _reserve(port: int) -> socket.socket:
    """Bind the port without listening, because nobody is answered before the migrations are complete."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        _fail(f"Port {port} cannot be used ({reason}). Choose another: PORT={port + 1} make run")
    return listener


def _set_up() -> None:
    """Migrate, collect static files, and make the demo agency on the first start, in a process of its own: this one
    would keep the memory. This slow part is skipped if nothing changed."""
    command = [sys.executable, "-m", "config.bootstrap.prepare"]
    if code := subprocess.run(command, preexec_fn=die_with_parent).returncode:
        raise SystemExit(code)


def _supervise(listener: socket.socket, port: int) -> int:
    configure_structlog(state.settings().get("LOG_FORMAT", "console"))
    logging.config.dictConfig(LOGGING)
    manage = [sys.executable, str(Path(ROOT, "manage.py"))]
    soon = time.monotonic() + 1.0  # the web process starts first, for a fast first page
    return Supervisor(
        [
            Child("web", [*manage, "run_web", "--fd", str(listener.fileno())], pass_fds=(listener.fileno(),)),
            Child("receipts worker", [*manage, "run_worker", "--queue", "receipts"], start_at=soon),
            Child("deliveries worker", [*manage, "run_worker", "--queue", "deliveries"], start_at=soon),
            Child("sync worker", [*manage, "run_worker", "--queue", "sync"], start_at=soon),
            Child("scheduler", [*manage, "run_scheduler"], start_at=soon),
        ]
    ).run()


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
