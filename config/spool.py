"""Implement `spool://`, the embedded broker: a folder of files. It only wakes workers, and sweeps find what it loses.

A message is written to a temporary name, synced and renamed, so that nobody reads an incomplete one. It is renamed
again when it is taken, deleted when it is acknowledged, and given back if the process that took it died. A task without
arguments waits at most once, because its file is named after the task. Missing folders are created again.
"""

import json
import logging
import os
import secrets
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from queue import Empty
from typing import Any

from django.utils import timezone
from kombu.transport import TRANSPORT_ALIASES, virtual

log = logging.getLogger(__name__)


class Channel(virtual.Channel):
    """Channel with the options `folder`, and `visibility_timeout` in seconds, after which a taken message is given
    back."""

    folder = "spool"
    visibility_timeout = 60.0
    from_transport_options = (*virtual.Channel.from_transport_options, "folder", "visibility_timeout")

    def __init__(self, connection: Any, **options: Any) -> None:
        super().__init__(connection, **options)
        self._taken: dict[str, Path] = {}
        self._returned_at = 0.0

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        self._forget(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue)
        self._forget(delivery_tag)

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        folder = Path(self.folder, queue)
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f"{secrets.token_hex(8)}.tmp"
        with half.open("w") as file:
            json.dump(message, file)
            file.flush()
            os.fsync(file.fileno())
        half.rename(folder / f"{_name(message)}.msg")
        self._forget(message["properties"]["delivery_tag"])

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        folder = Path(self.folder, queue)
        try:
            self._return_expired(folder)
            for waiting in _oldest_first(folder):
                message = self._take(waiting)
                if message is not None:
                    return message
        except OSError as error:
            log.warning("The spool folder cannot be read and is tried again: %s", error)
        raise Empty

    def _take(self, waiting: Path) -> dict[str, Any] | None:
        """Take a message. Return None if another process took it, it has expired, or it cannot be read."""
        taken = waiting.parent / "taken" / f"{secrets.token_hex(8)}.msg"
        taken.parent.mkdir(exist_ok=True)
        try:
            waiting.rename(taken)
            os.utime(taken)
            message: dict[str, Any] = json.loads(taken.read_text())
            tag = message["properties"]["delivery_tag"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            log.warning("An unreadable message was dropped from the spool: %s", waiting.name)
            taken.unlink(missing_ok=True)
            return None
        if _expired(message):
            taken.unlink(missing_ok=True)
            return None
        self._taken[tag] = taken
        return message

    def _return_expired(self, folder: Path) -> None:
        now = time.time()
        if now - self._returned_at < min(5.0, self.visibility_timeout):
            return
        self._returned_at = now
        for taken in _oldest_first(folder / "taken"):
            try:
                if now - taken.stat().st_mtime > self.visibility_timeout:
                    taken.rename(folder / taken.name)
            except FileNotFoundError:
                continue

    def _forget(self, delivery_tag: str) -> None:
        taken = self._taken.pop(delivery_tag, None)
        if taken:
            taken.unlink(missing_ok=True)

    def _size(self, queue: str) -> int:
        return sum(1 for _ in _oldest_first(Path(self.folder, queue)))

    def _purge(self, queue: str) -> int:
        count = 0
        for waiting in _oldest_first(Path(self.folder, queue)):
            waiting.unlink(missing_ok=True)
            count += 1
        return count


class Transport(virtual.Transport):
    Channel = Channel
    driver_type = "spool"
    driver_name = "spool"
    polling_interval = 0.05
    connection_errors = (*virtual.Transport.connection_errors, OSError)

    def establish_connection(self) -> Any:
        """Connect to the folder. Raises OSError if it cannot be made or written to."""
        folder = Path(self.client.transport_options["folder"])  # type: ignore[union-attr, index]
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"the spool folder {folder} cannot be written to")
        return super().establish_connection()


def register() -> None:
    """Register `spool://` with Celery and kombu."""
    TRANSPORT_ALIASES["spool"] = "config.spool:Transport"


def _name(message: dict[str, Any]) -> str:
    headers = message.get("headers", {})
    if headers.get("task") and headers.get("argsrepr") == "()" and headers.get("kwargsrepr") == "{}":
        return str(headers["task"])
    return secrets.token_hex(8)


def _oldest_first(folder: Path) -> Iterator[Path]:
    found: list[tuple[int, str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".msg"):
                    try:
                        found.append((entry.stat().st_mtime_ns, entry.path))
                    except FileNotFoundError:
                        continue
    except FileNotFoundError:
        return
    for _, path in sorted(found):
        yield Path(path)


def _expired(message: dict[str, Any]) -> bool:
    expires = message.get("headers", {}).get("expires")
    return bool(expires) and datetime.fromisoformat(expires) < timezone.now()
