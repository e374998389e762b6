"""Wake the processes that wait for messages of the embedded broker.

Each waiting process has a named pipe in the folder `readers`. A writer of a message puts a byte into every pipe there.
A signal may be lost, as when the folder vanishes: who waits looks by itself a little later.
"""

import contextlib
import os
import secrets
import select
import time
from pathlib import Path

READERS = "readers"
SIGNAL = b"\0"
PAUSE_WITHOUT_PIPE = 0.05  # seconds between two looks where the file system has no pipes


def signal_readers(folder: Path) -> None:
    """Wake every process that waits. Remove the pipes of processes that are gone."""
    try:
        with os.scandir(folder / READERS) as entries:
            pipes = [entry.path for entry in entries]
    except OSError:  # no process waits
        return
    for pipe in pipes:
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads it
            Path(pipe).unlink(missing_ok=True)
            continue
        try:
            os.write(descriptor, SIGNAL)
        except BlockingIOError:
            pass  # the pipe is full of signals
        finally:
            os.close(descriptor)


class ReaderPipe:
    """Wait for signals. The pipe is made when it is first needed, and again when its folder vanished."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / READERS / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._descriptor = -1

    def open(self) -> None:
        """Make the pipe if it is not there. To miss no message, look for messages after this and before `wait`."""
        if self._descriptor >= 0 and self._path.exists():
            return
        self.close()
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.mkfifo(self._path, 0o600)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)  # a writer too, so that it never ends

    def wait(self, seconds: float) -> None:
        """Return after a signal, at the latest after `seconds`, and forget the signals that came."""
        if self._descriptor < 0:
            time.sleep(min(seconds, PAUSE_WITHOUT_PIPE))
            return
        readable, _, _ = select.select([self._descriptor], [], [], seconds)
        if readable:
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, 65_536)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
