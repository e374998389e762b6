import os
import sys
import time
import warnings
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from celery.exceptions import SecurityWarning
from django.conf import settings

from config.bootstrap.supervisor import Child, Supervisor
from config.celery import QUEUES, app
from config.management.jsoncommand import ProcessCommand
from config.ops.purge import repeat_erasures


def worker_children(concurrency: int) -> list[Child]:
    """Return one worker per queue, so that neither slow receivers nor a slow LinkedIn delay receipts."""
    manage = [sys.executable, str(Path(settings.BASE_DIR, "manage.py")), "run_worker"]
    return [
        Child(f"{queue} worker", [*manage, "--queue", queue, "--concurrency", str(concurrency)]) for queue in QUEUES
    ]


class Command(ProcessCommand):
    help = "Run the workers, one each for receipts, deliveries and sync. They are restarted when they die."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queue", choices=QUEUES, help="run only this queue's worker, without a supervisor")
        parser.add_argument("--concurrency", type=int, default=1, help="processes per queue (default 1)")

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        return {"process": "worker", "pid": os.getpid(), "queues": [options["queue"]] if options["queue"] else QUEUES}

    def run_process(self, **options: Any) -> None:
        if options["queue"]:
            work(options["queue"], options["concurrency"])
        else:
            sys.exit(Supervisor(worker_children(options["concurrency"])).run())


def work(queue: str, concurrency: int) -> None:
    """Run a Celery worker in this process, without gossip, mingling and broker heartbeats, which it does not need."""
    while not repeat_erasures():
        time.sleep(1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stdout is for the JSON; Celery prints its exit message there
    warnings.simplefilter("ignore", SecurityWarning)  # about root and pickle, but only JSON is accepted
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    who = ["--queues", queue, "--hostname", f"{queue}@%h"]
    how = ["--pool=prefork", f"--concurrency={concurrency}", "--loglevel=WARNING"]
    app.worker_main(["--quiet", "worker", *who, *alone, *how])
