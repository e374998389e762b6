"""The program of the parsing process: reads jobs from its standard input until that ends, writes their results.

It knows the providers' adapters only: no database, no settings, no secrets but those of a job.
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
    """A request whose dedupe key is wanted. `secrets`: those to verify it with, None if that is done."""

    provider: str
    request: SignedRequest
    secrets: Sequence[str] | None
    tolerance: int


ParsingResult = str | None | InvalidSignature | UnreadablePayload


def parse(job: ParsingJob) -> ParsingResult:
    """Return the dedupe key, or the exception for which the request is refused."""
    provider = get_provider(job.provider)
    try:
        if job.secrets is not None:
            provider.verify(job.request, job.secrets, tolerance=job.tolerance)
        return provider.receipt_key(job.request)
    except (InvalidSignature, UnreadablePayload) as refused:
        return refused


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C: the web process ends first
    gc.disable()  # JSON makes no cycles, and collections would take most of the time
    jobs, results = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            job = pickle.load(jobs)  # noqa: S301 (the web process wrote it)
        except EOFError:
            return
        pickle.dump(parse(job), results)
        results.flush()


if __name__ == "__main__":
    main()
