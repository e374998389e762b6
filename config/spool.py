"""Register `spool://`, the embedded broker: a folder of files, one per message.

Messages are wake-ups. A sweep finds the due row of every message that is lost, so a message is gone once a worker has
taken it. kombu's own filesystem transport writes messages in place and keeps bindings in files. Here nobody reads half
a message, and the folder may vanish at any time.
"""

import json
import logging
import os
import secrets
import time
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, virtual

from config.spool_signals import ReaderPipe, signal_readers

log = logging.getLogger(__name__)


class Channel(virtual.Channel):
    """Keep each queue in a folder of its own under the option `folder`."""

    folder = "spool"
    from_transport_options = (*virtual.Channel.from_transport_options, "folder")

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        folder = Path(self.folder, queue)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns()}-{secrets.token_hex(4)}"
        half = folder / f"{name}.tmp"
        half.write_text(json.dumps(message))
        half.rename(folder / f"{name}.msg")
        signal_readers(Path(self.folder))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        try:
            for path in self._waiting(queue):
                if message := _take(Path(path)):
                    return message
        except OSError as error:
            log.warning("The spool folder cannot be read and is tried again: %s", error)
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            Path(path).unlink(missing_ok=True)
        return len(waiting)

    def _waiting(self, queue: str) -> list[str]:
        """Return the paths of the waiting messages, the oldest first."""
        try:
            with os.scandir(Path(self.folder, queue)) as entries:
                return sorted(entry.path for entry in entries if entry.name.endswith(".msg"))
        except FileNotFoundError:
            return []


class Transport(virtual.Transport):
    """Open the folder as if it were a broker."""

    Channel = Channel
    driver_type = "spool"
    driver_name = "spool"
    polling_interval = 0.5  # seconds after which a lost signal is made up for
    connection_errors = (*virtual.Transport.connection_errors, OSError)

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self._pipe = ReaderPipe(self._folder)

    @property
    def _folder(self) -> Path:
        return Path(self.client.transport_options["folder"])  # type: ignore[union-attr, index]

    def establish_connection(self) -> Any:
        """Make the folder. Raises OSError if that fails or the folder cannot be written to."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"the spool folder {self._folder} cannot be written to")
        return super().establish_connection()

    def drain_events(self, connection: Any, timeout: float | None = None, **_: Any) -> None:
        """Deliver the next message. Raises TimeoutError if none came within `timeout` seconds.

        kombu sleeps for `polling_interval` when there is none. This method also ends its wait when a writer signals.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._pipe.open()
            try:
                self.cycle.get(self._deliver, timeout=timeout)  # type: ignore[union-attr]
                return
            except Empty:
                left = self.polling_interval if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
            self._pipe.wait(min(left, self.polling_interval))

    def close_connection(self, connection: Any) -> None:
        self._pipe.close()
        super().close_connection(connection)


def register() -> None:
    """Make Celery and kombu understand `spool://`."""
    TRANSPORT_ALIASES["spool"] = "config.spool:Transport"


def _take(path: Path) -> dict[str, Any] | None:
    """Return the message after removing its file. Return None if another process took it, or it cannot be read."""
    try:
        text = path.read_text()
        path.unlink()
    except FileNotFoundError:
        return None
    try:
        message: dict[str, Any] = json.loads(text)
        message["properties"]["delivery_tag"]
    except (ValueError, KeyError, TypeError):
        log.warning("An unreadable message was dropped from the spool: %s", path.name)
        return None
    return message
