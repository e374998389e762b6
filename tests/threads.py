"""The same work in several threads at once."""

import threading
from collections.abc import Callable

from django.db import connections

WORKERS = 4


def at_once(work: Callable[[], None], *, times: int = WORKERS) -> None:
    """Run the same work in several threads, each with its own connection, and raise what any of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(times)

    def run() -> None:
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
