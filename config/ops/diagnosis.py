"""Run the checks of `manage.py doctor`. Every check returns a Finding; none raises."""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import urllib3
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core import checks
from django.core.mail import get_connection
from django.db import connection
from django.utils import timezone

from accounts.core.enums import ProviderSlug
from accounts.models import Heartbeat, RetentionRun, Source, SourceSecret
from accounts.tasks import SCHEDULER, WORKERS, worker_heartbeat
from config import health
from config.broker_options import broker_name
from leads.privacy import erasure_log

CLOCK_TOLERANCE = timedelta(seconds=30)
WORKER_SECONDS = 10.0
BROKER_ADVICE = {
    "Redis": "Start Redis, let it take writes, or correct BROKER_URL or REDIS_URL.",
    "RabbitMQ": "Start RabbitMQ, end its alarm, or correct BROKER_URL.",
    "the embedded broker": "Let the product write to the spool folder (SPOOL_DIR).",
}


@dataclass(frozen=True)
class CheckResult:
    """The result of one check. `remedy` says what to do if it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class CheckFailed(Exception):
    """A problem found by a check, with its remedy."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy


def diagnose() -> list[CheckResult]:
    return [diagnose_one(name) for name in CHECKS]


def diagnose_one(name: str) -> CheckResult:
    try:
        return CheckResult(name, True, CHECKS[name]())
    except CheckFailed as failure:
        return CheckResult(name, False, str(failure), failure.remedy)
    except Exception as error:
        return CheckResult(name, False, f"{type(error).__name__}: {error}".strip(), "Fix what the message names.")


def database() -> str:
    try:
        health.database()
    except Exception as error:
        raise CheckFailed(str(error).strip(), "Start the database, or correct DATABASE_URL.") from None
    return f"{connection.vendor} answers"


def migrations() -> str:
    if problem := health.migrations():
        raise CheckFailed(problem, "manage.py migrate")
    return "all applied"


def broker() -> str:
    name = broker_name(settings.CELERY_BROKER_URL)
    try:
        health.broker()
    except Exception as error:
        raise CheckFailed(f"cannot be used ({error})", BROKER_ADVICE[name]) from None
    return "the embedded broker's folder can be used" if name == "the embedded broker" else f"{name} takes messages"


def worker(queue: str) -> str:
    """Ask the worker for a heartbeat through the broker, so that a dead scheduler is not blamed on the worker."""
    asked = timezone.now()
    worker_heartbeat.apply_async(kwargs={"queue": queue}, queue=queue, expires=60, retry=False)
    deadline = time.monotonic() + WORKER_SECONDS
    while time.monotonic() < deadline:
        if Heartbeat.objects.filter(name=WORKERS[queue], at__gte=asked).exists():
            return f"answered after {(timezone.now() - asked).total_seconds():.1f} s"
        time.sleep(0.1)
    raise CheckFailed(
        f"did not answer within {WORKER_SECONDS:.0f} s", "Start it, or start it again: manage.py run_worker"
    )


def scheduler() -> str:
    if problem := health.heartbeat(SCHEDULER):
        raise CheckFailed(problem, "Start it, or start it again: manage.py run_scheduler")
    return "is running"


def mail() -> str:
    """Sign in to the mail server without sending anything."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        if settings.LOOPBACK:
            return "no server: mails are written to files"
        raise CheckFailed(
            "mails are written to files, nobody gets them", "Set EMAIL_URL, for example smtp+tls://user:…@host:587"
        )
    try:
        backend = get_connection(fail_silently=False, timeout=10)
        backend.open()
        backend.close()
    except (OSError, smtplib.SMTPException) as error:
        raise CheckFailed(f"the mail server refuses ({error})", "Correct EMAIL_URL, or mend the mail server.") from None
    return "the mail server accepts the sign-in"


def public_url() -> str:
    """Fetch /healthz at the address that providers use."""
    answer = _fetch_health()
    if answer.status != 200:
        raise CheckFailed(
            f"{settings.PUBLIC_URL}/healthz answers {answer.status}",
            "Point PUBLIC_URL at the web process, and let the proxy pass /healthz, /webhooks/ and everything else.",
        )
    return f"{settings.PUBLIC_URL} answers"


def _fetch_health() -> urllib3.BaseHTTPResponse:
    url = f"{settings.PUBLIC_URL}/healthz"
    try:
        return urllib3.request("GET", url, retries=False, redirect=False, timeout=5)
    except urllib3.exceptions.HTTPError as error:
        raise CheckFailed(
            f"{url} does not answer ({type(error).__name__})", "Start the web process: manage.py run_web"
        ) from None


def encryption_keys() -> str:
    """Check that the keys are usable and decrypt the stored secrets."""
    for place, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise CheckFailed(
                f"entry {place} of FIELD_ENCRYPTION_KEYS is no key",
                "A key is 32 bytes in url-safe base64; the newest comes first.",
            ) from None
    try:
        count = sum(1 for _ in SourceSecret.objects.order_by("-pk")[:100])
    except (InvalidToken, ValueError) as error:
        raise CheckFailed(
            f"stored secrets cannot be read ({type(error).__name__})",
            "Put the key they were written with back at the end of FIELD_ENCRYPTION_KEYS.",
        ) from None
    return f"usable; {count} stored secrets read"


def clock() -> str:
    """Compare this clock with the database's, and with that of a proxy."""
    others = [parsedate_to_datetime(date)] if (date := _fetch_health().headers.get("Date")) else []
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")
            others.append(cursor.fetchone()[0])
    off = max((abs(their.astimezone(UTC) - datetime.now(UTC)) for their in others), default=timedelta())  # noqa: TID251
    if off > CLOCK_TOLERANCE:
        raise CheckFailed(
            f"{off.total_seconds():.0f} s off", "Keep the clocks with NTP: signatures over 300 s old are refused."
        )
    return "agrees with the database and the proxy"


def disk() -> str:
    if problem := health.disk():
        raise CheckFailed(problem, "Make room, or lower RETENTION_DAYS.")
    return "has room"


def retention() -> str:
    if problem := health.retention():
        raise CheckFailed(problem, "See in the sync worker's log why it fails; or: manage.py purge")
    run = RetentionRun.objects.filter(failures__gt=0).first()
    if run:
        raise CheckFailed(
            f"could not erase everything: {run.failures} × failed, last {run.error}", "See the sync worker's log."
        )
    return f"runs; {settings.RETENTION_DAYS} days are kept"


def check_erasure_log() -> str:
    """Check that the erasure log can be written, and that several hosts could share its file."""
    path = settings.ERASURE_JOURNAL
    try:
        erasure_log.append_lines([])
    except OSError as error:
        raise CheckFailed(
            f"{path} cannot be written ({error.strerror})", "Mend that, or correct ERASURE_JOURNAL."
        ) from None
    if connection.vendor == "postgresql" and not settings.LOOPBACK and settings.VAR in path.parents:
        raise CheckFailed(
            f"{path} belongs to this checkout alone: other hosts do not see what is erased here",
            "Set ERASURE_JOURNAL to a file on a volume that all web and worker hosts share, and back it up by itself.",
        )
    return f"{path} can be written"


def deployment() -> str:
    """Run `check --deploy`, without the checks about https on loopback."""
    found = checks.run_checks(include_deployment_checks=not settings.LOOPBACK)
    serious = [message for message in found if message.level >= checks.WARNING and not message.is_silenced()]
    if serious:
        first = serious[0]
        raise CheckFailed(
            "; ".join(f"{each.id}: {each.msg}" for each in serious), first.hint or "manage.py check --deploy"
        )
    return "no warnings" if not settings.LOOPBACK else "no warnings (loopback: the checks about https do not apply)"


def highlevel() -> str:
    """Check that events of other marketplace apps, which HighLevel signs with the same key, are ignored."""
    if not Source.objects.filter(provider=ProviderSlug.HIGHLEVEL, enabled=True, removed_at=None).exists():
        return "not used"
    if settings.HIGHLEVEL_APP_ID:
        return "only events of HIGHLEVEL_APP_ID count"
    if settings.LOOPBACK:
        return "events of every marketplace app count (HIGHLEVEL_APP_ID is not set)"
    raise CheckFailed(
        "events of every marketplace app count: HighLevel signs them all with one key",
        "Set HIGHLEVEL_APP_ID to your marketplace app's id.",
    )


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "broker": broker,
    **{name: lambda queue=queue: worker(queue) for queue, name in WORKERS.items()},  # type: ignore[misc]
    "scheduler": scheduler,
    "mail": mail,
    "public URL": public_url,
    "encryption keys": encryption_keys,
    "clock": clock,
    "disk": disk,
    "retention": retention,
    "erasure log": check_erasure_log,
    "highlevel": highlevel,
    "check --deploy": deployment,
}
