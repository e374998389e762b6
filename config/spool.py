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
    polling_interval = 0.05
    connection_errors = (*virtual.Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        """Make the folder. Raises OSError if that fails or the folder cannot be written to."""
        folder = Path(self.client.transport_options["folder"])  # type: ignore[union-attr, index]
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"the spool folder {folder} cannot be written to")
        return super().establish_connection()


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
