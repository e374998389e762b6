"""Parse large bodies in a process beside the web process, so that none of them blocks the event loop."""

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

MAX_WAITING = 8  # jobs with a verified signature, and as many without
MAX_WAITING_PER_SOURCE = 2  # with a verified signature, and as many without
WAIT_TIMEOUT = 1.6  # seconds that a request waits for its result, from the queue on
JOB_TIMEOUT = 5.0  # seconds after which the process counts as stuck and is killed


class ParsingBusy(Exception):
    """Signal that the body could not be parsed in time: too many bodies wait, or the process failed."""


class ParsingProcess:
    """Run parsing jobs one at a time, from one event loop. Start the process with the first job and after a failure.

    Jobs without a verified signature have a queue of their own, so that forged requests take no place from others.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "parsing")
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: Counter[tuple[bool, str]] = Counter()

    async def dedupe_key(self, job: ParsingJob, source_id: str) -> str | None:
        """Verify the request if the job has its secrets, and return its dedupe key.

        Raises InvalidSignature, UnreadablePayload, or ParsingBusy within WAIT_TIMEOUT.
        """
        verified = job.secrets is None
        slot = (verified, source_id)
        taken = sum(count for (kind, _), count in self._waiting.items() if kind is verified)
        if taken >= MAX_WAITING or self._waiting[slot] >= MAX_WAITING_PER_SOURCE:
            raise ParsingBusy("Too many large bodies wait.")
        self._waiting[slot] += 1
        result = asyncio.get_running_loop().run_in_executor(self._thread, self._run_job, job)
        result.add_done_callback(lambda _: self._release_slot(slot))
        try:
            outcome = await asyncio.wait_for(asyncio.shield(result), WAIT_TIMEOUT)
        except TimeoutError:
            raise ParsingBusy("The body could not be parsed in time.") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._stop_process()

    def _release_slot(self, slot: tuple[bool, str]) -> None:
        self._waiting[slot] -= 1
        if not self._waiting[slot]:
            del self._waiting[slot]

    def _run_job(self, job: ParsingJob) -> ParsingResult | ParsingBusy:
        if self._process is not None and self._process.poll() is not None:
            self._stop_process()
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
            if not select.select([results], [], [], JOB_TIMEOUT)[0]:
                raise TimeoutError
            outcome: ParsingResult = pickle.load(results)  # noqa: S301 (our own process wrote it)
        except (OSError, EOFError, pickle.PickleError, TimeoutError):
            self._stop_process()
            return ParsingBusy("The parsing process failed.")
        return outcome

    def _stop_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
