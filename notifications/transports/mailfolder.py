"""Mail without a mail server: one `.eml` file each, in `EMAIL_FILE_PATH`."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from accounts.core.ids import new_id


class MailFolderBackend(BaseEmailBackend):
    """Each file appears whole, under a name that sorts by time."""

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
    """The mails in the folder that tell of these events, if mail goes there."""
    if not is_where_mail_goes():
        return []
    return [path for path in Path(settings.EMAIL_FILE_PATH).glob("*.eml") if _event_of(path) in events]


def erase_mails(events: Collection[str]) -> int:
    """Remove those mails; how many there were."""
    doomed = mails_of(events)
    for path in doomed:
        path.unlink(missing_ok=True)
    return len(doomed)


def is_where_mail_goes() -> bool:
    """Whether mail lies in the folder; otherwise a mail server takes it."""
    return bool(settings.EMAIL_BACKEND.endswith(MailFolderBackend.__name__))


def _event_of(path: Path) -> str:
    """What its header `X-Leadline-Event` says."""
    try:
        with path.open("rb") as file:
            for line in file:
                name, _, value = line.partition(b":")
                if name.lower() == b"x-leadline-event":
                    return value.strip().decode("ascii", "replace")
                if not line.strip():
                    break
    except FileNotFoundError:  # somebody else removed it
        pass
    return ""
