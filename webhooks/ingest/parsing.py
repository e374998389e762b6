"""The process beside a web process that parses large bodies, so that none of them holds the event loop."""

import asyncio
import contextlib
import pickle
import select
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import IO, cast

from django.conf import settings

from webhooks.ingest.parsing_worker import ParsingJob, ParsingResult

__all__ = ["ParsingBusy", "ParsingJob", "ParsingProcess"]

MAX_WAITING = 8  # jobs whose signature is verified, and as many of the others
MAX_WAITING_PER_SOURCE = 2  # of each kind
WAIT_SECONDS = 1.6  # that a request waits for its turn and its result
JOB_SECONDS = 5.0  # after which the process is taken for stuck and killed


class ParsingBusy(Exception):
    """The body could not be parsed in time: too many wait, or the process failed."""


class ParsingProcess:
    """Belongs to one event loop. Starts the process with the first job, and again after a failure; one job at a time.

    Jobs without a verified signature have places of their own, so that forged requests take none from others.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "parsing")
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: Counter[tuple[bool, str]] = Counter()

    async def receipt_key(self, job: ParsingJob, source_id: str) -> str | None:
        """Verify the request if its secrets are given, and return its dedupe key.

        Raises InvalidSignature, UnreadablePayload, or ParsingBusy within WAIT_SECONDS.
        """
        verified = job.secrets is None
        place = (verified, source_id)
        taken = sum(count for (kind, _), count in self._waiting.items() if kind is verified)
        if taken >= MAX_WAITING or self._waiting[place] >= MAX_WAITING_PER_SOURCE:
            raise ParsingBusy("Too many large bodies wait.")
        self._waiting[place] += 1
        result = asyncio.get_running_loop().run_in_executor(self._thread, self._run, job)
        result.add_done_callback(lambda _: self._leave(place))
        try:
            outcome = await asyncio.wait_for(asyncio.shield(result), WAIT_SECONDS)
        except TimeoutError:
            raise ParsingBusy("The body could not be parsed in time.") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._stop()

    def _leave(self, place: tuple[bool, str]) -> None:
        self._waiting[place] -= 1
        if not self._waiting[place]:
            del self._waiting[place]

    def _run(self, job: ParsingJob) -> ParsingResult | ParsingBusy:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        process = self._process
        if process is None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "webhooks.ingest.parsing_worker"],
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        jobs, results = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            pickle.dump(job, jobs)
            jobs.flush()
            if not select.select([results], [], [], JOB_SECONDS)[0]:
                raise TimeoutError
            outcome: ParsingResult = pickle.load(results)  # noqa: S301 (a process of our own wrote it)
        except (OSError, EOFError, pickle.PickleError, TimeoutError):
            self._stop()
            return ParsingBusy("The parsing process failed.")
        return outcome

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
