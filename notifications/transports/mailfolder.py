"""Write mail to `EMAIL_FILE_PATH` in place of a mail server: one `.eml` file each."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.core.ids import new_id


class MailFolderBackend(BaseEmailBackend):
    """Write each mail atomically, under a name that sorts by time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = new_id("mail")
            unfinished = folder / f".{name}.tmp"
            with unfinished.open("wb") as file:
                file.write(message.message().as_bytes())
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(folder / f"{name}.eml")
        return len(email_messages)


def mails_of(events: Collection[str]) -> list[Path]:
    """Return the mails in the folder about these events. Empty if mail goes to a server."""
    if not is_mail_folder_used():
        return []
    return [path for path in Path(settings.EMAIL_FILE_PATH).glob("*.eml") if _event_id_of(path) in events]


def erase_mails(events: Collection[str]) -> int:
    """Remove the mails about these events. Return how many."""
    doomed = mails_of(events)
    for path in doomed:
        path.unlink(missing_ok=True)
    return len(doomed)


def is_mail_folder_used() -> bool:
    """Return whether mail is written to the folder, not sent to a mail server."""
    return bool(settings.EMAIL_BACKEND.endswith(MailFolderBackend.__name__))


def _event_id_of(path: Path) -> str:
    """Return the value of the header `X-Leadline-Event`."""
    try:
        with path.open("rb") as file:
            for line in file:
                name, _, value = line.partition(b":")
                if name.lower() == b"x-leadline-event":
                    return value.strip().decode("ascii", "replace")
                if not line.strip():
                    break
    except FileNotFoundError:  # removed meanwhile
        pass
    return ""
