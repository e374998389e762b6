from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from config.celery import app


class Command(BaseCommand):
    help = "Run the scheduler: wakes the workers every second, so that nothing due is ever forgotten. Run one."
    requires_system_checks = [Tags.security]

    def handle(self, *args: Any, **options: Any) -> None:
        app.Beat(loglevel="WARNING", quiet=True, redirect_stdouts=False, max_interval=1).run()
