"""Wake the workers of the `sync` queue, which call LinkedIn."""

from accounts.core.job_handlers import wake_up_jobs


def wake_up() -> None:
    """Have a worker look for due jobs of the `sync` queue."""
    wake_up_jobs("sync")
