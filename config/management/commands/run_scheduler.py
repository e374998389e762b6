import os
from typing import Any

from config.celery import app
from config.management.jsoncommand import ProcessCommand


class Command(ProcessCommand):
    help = "Run the scheduler: wakes the workers every second, so that nothing due is ever forgotten. Run one."

    def answer(self, *args: Any, **options: Any) -> dict[str, Any]:
        return {"process": "scheduler", "pid": os.getpid()}

    def stay(self, **options: Any) -> None:
        app.Beat(loglevel="WARNING", quiet=True, redirect_stdouts=False, max_interval=1).run()
