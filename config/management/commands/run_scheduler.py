import os
from typing import Any

from config.celery import app
from config.management.jsoncommand import ProcessCommand


class Command(ProcessCommand):
    help = "Run the scheduler, which wakes the workers every second. Run exactly one."

    def build_result(self, *args: Any, **options: Any) -> dict[str, Any]:
        return {"process": "scheduler", "pid": os.getpid()}

    def run_process(self, **options: Any) -> None:
        app.Beat(loglevel="WARNING", quiet=True, redirect_stdouts=False, max_interval=1).run()
