"""Wakes the worker that talks to LinkedIn."""

from accounts.core.job_handlers import wake_up_jobs


def wake_up() -> None:
    """Say that something is due."""
    wake_up_jobs("sync")
