"""Run child processes, restart those that die, and stop all of them with everything they started.

Each child leads a process group of its own, so a Ctrl-C at the terminal reaches only the supervisor. On the first
SIGINT or SIGTERM the supervisor sends SIGTERM to every child, and after the grace period SIGKILL to every group that is
left. If the supervisor itself is killed, the kernel kills the children.
"""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from config.processes import die_with_parent

log = logging.getLogger("leadline")

GRACE_SECONDS = 10.0  # seconds between SIGTERM and SIGKILL
STEADY_SECONDS = 30.0  # seconds after which a start counts as successful
MAX_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """One process to keep alive. It inherits the open files `pass_fds`, and starts at `start_at` (monotonic)."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    pass_fds: tuple[int, ...] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            list(self.argv), env=self.env, pass_fds=self.pass_fds, process_group=0, preexec_fn=die_with_parent
        )
        log.info("%s started (pid %d)", self.name, self.process.pid)

    def schedule_restart(self) -> None:
        """Log the death and schedule the restart: at once, then after 1, 2, 4 … seconds."""
        code = self.process.returncode if self.process else 0
        self.kill()
        now = time.monotonic()
        self.deaths = 1 if now - self.started_at > STEADY_SECONDS else self.deaths + 1
        pause = min(2.0 ** (self.deaths - 2), MAX_PAUSE_SECONDS) if self.deaths > 1 else 0.0
        self.start_at, self.process = now + pause, None
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        log.error("%s ended (%s) and is started again%s", self.name, how, f" in {pause:.0f} s" if pause else "")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signal the whole process group, if it still exists."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """The supervisor of the children. `run` blocks until a signal stops it, and returns 0, the exit code."""

    def __init__(
        self, children: Sequence[Child], *, grace: float = GRACE_SECONDS, on_tick: Callable[[], None] | None = None
    ):
        self.children = list(children)
        self.grace = grace
        self.on_tick = on_tick
        self._stopping = False

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request_stop)
        while not self._stopping:
            for child in self.children:
                self._start_or_restart(child)
            if self.on_tick:
                self.on_tick()
            time.sleep(0.1)
        return self._stop()

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start_or_restart(self, child: Child) -> None:
        if child.process is None:
            if time.monotonic() >= child.start_at and not self._stopping:
                child.start()
        elif child.process.poll() is not None:
            child.schedule_restart()

    def _stop(self) -> int:
        log.info("stopping")
        for child in self.children:
            if child.running and child.process:
                child.process.terminate()
        deadline = time.monotonic() + self.grace
        while any(child.running for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.05)
        late = [child.name for child in self.children if child.running]
        if late:
            log.warning("killing what did not stop in %.0f s: %s", self.grace, ", ".join(late))
        for child in self.children:
            child.kill()  # the whole group, because a child may have left processes behind
            if child.process is not None:
                child.process.wait()
        log.info("stopped")
        return 0
