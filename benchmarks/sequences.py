"""Measure how long 1,000 enrolments that are due at once take until their e-mails have left.

Two workers, as in a deployment: one carries out steps, the other hands e-mails over to a mail server on a real socket.
The yardstick is the same mails by `smtplib` over one connection. Bar: 60 seconds. With `DATABASE_URL` the database is
that one, which must be empty; else a new SQLite file.
"""

import os
import smtplib
import sys
import tempfile
import threading
import time
from email.message import EmailMessage
from pathlib import Path

from tests.smtp_server import Taken, smtp_server

ENROLMENTS = 1000
BAR = 60.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, smtp_server() as (port, taken):
        os.environ |= {
            "SECRET_KEY": "benchmark",
            "FIELD_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        }
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{Path(folder, 'db.sqlite3')}")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        bare = send_bare(port)
        taken.clear()
        prepare()
        took = send_due(taken)
    subjects = len({mail.recipients[0] for mail in taken})
    print(f"{ENROLMENTS} enrolments: {took:.1f} s (bar: {BAR:g} s); the bare mails: {bare:.1f} s")
    from benchmarks.figures import write_figures

    write_figures("sequences", {"enrolments": ENROLMENTS, "seconds": took, "bare_seconds": bare, "bar": BAR})
    return 0 if took <= BAR and subjects == len(taken) == ENROLMENTS else 1


def send_bare(port: int) -> float:
    """Return how many seconds the same mails take without Leadline."""
    begin = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(ENROLMENTS):
            mail = EmailMessage()
            mail["Subject"], mail["From"], mail["To"] = "Hello", "ada@example.com", f"lead{number}@example.com"
            mail.set_content("Hello Ada of Acme")
            server.send_message(mail)
    return time.monotonic() - begin


def prepare() -> None:
    """Enrol leads in a sequence whose first step is due."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from accounts.tenancy.agencies import create_agency
    from leads.enums import TriggerKind
    from leads.models import Lead
    from leads.sequences.enrolments import enrol
    from leads.sequences.senders import set_sender, verify_address
    from leads.sequences.service import create_sequence
    from leads.sequences.templates import create_template

    call_command("migrate", verbosity=0)
    agency, _ = create_agency(name="Benchmark")
    verify_address(set_sender(agency, address="ada@example.com", name="Ada").verification_token)
    agency.outbound_emails.all().delete()
    text = 'Hello {{ first_name|default:"there" }} of {{ company }}'
    template = create_template(agency, name="Hello", channel="email", subject="Hello", text=text)
    steps = [{"kind": "email", "template": template.pk}]
    sequence = create_sequence(agency, name="All", trigger={"kind": TriggerKind.HAND}, steps=steps, active=True)
    now = timezone.now()
    for number in range(ENROLMENTS):
        values = {"name": f"Ada Lovelace {number}", "email": f"lead{number}@example.com", "company": "Acme"}
        enrol(Lead.objects.create(agency=agency, status_since=now, received_at=now, **values), sequence)


def send_due(taken: list[Taken]) -> float:
    """Let both workers go on until every mail has arrived. Return the seconds."""
    from django.db import connection

    from accounts.core.connections import run_through_outages
    from leads.sequences.advancing import advance_due
    from leads.sequences.outbox import send_due as send_due_emails

    done = threading.Event()

    def advance() -> None:
        while not done.is_set():
            if not run_through_outages(advance_due, seconds=BAR):
                time.sleep(0.05)
        connection.close()

    worker = threading.Thread(target=advance)
    begin = time.monotonic()
    worker.start()
    while len(taken) < ENROLMENTS and time.monotonic() - begin < 10 * BAR:
        if not run_through_outages(send_due_emails, seconds=BAR):
            time.sleep(0.05)
    took = time.monotonic() - begin
    done.set()
    worker.join()
    return took


if __name__ == "__main__":
    sys.exit(main())
