"""Run parsing jobs: read them from standard input until it ends, and write their results to standard output.

The process knows only the providers' adapters: no database, no settings, no secrets but those of a job.
"""

import gc
import pickle
import signal
import sys
from collections.abc import Sequence
from typing import NamedTuple

from webhooks.providers import get_provider
from webhooks.providers.base import InvalidSignature, SignedRequest, UnreadablePayload


class ParsingJob(NamedTuple):
    """Hold a request whose dedupe key is wanted. `secrets` is None if the request is verified already."""

    provider: str
    request: SignedRequest
    secrets: Sequence[str] | None
    tolerance: int


ParsingResult = str | None | InvalidSignature | UnreadablePayload


def run_job(job: ParsingJob) -> ParsingResult:
    """Return the dedupe key, or the exception that refuses the request."""
    provider = get_provider(job.provider)
    try:
        if job.secrets is not None:
            provider.verify(job.request, job.secrets, tolerance=job.tolerance)
        return provider.dedupe_key(job.request)
    except (InvalidSignature, UnreadablePayload) as refused:
        return refused


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C in a terminal the web process ends this one
    gc.disable()  # JSON has no reference cycles, and collection would take most of the time
    jobs, results = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = pickle.load(jobs)  # noqa: S301 (the web process wrote it)
        except EOFError:
            return
        pickle.dump(run_job(job), results)
        results.flush()


if __name__ == "__main__":
    main()
