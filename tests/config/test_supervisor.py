"""The supervisor, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.e2e.stack import wait_for

PROGRAM = """
import logging, sys
from config.bootstrap.supervisor import Child, Supervisor
logging.basicConfig(level="INFO", stream=sys.stderr, format="%(message)s")
run = lambda code: [sys.executable, "-c", code]
sys.exit(Supervisor([Child(name, run(code)) for name, code in {children!r}.items()], grace={grace}).run())
"""
SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); time.sleep(600)"


Supervise = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def supervise() -> Iterator[Supervise]:
    """Start a supervisor of such children, which ends with the test."""
    with ExitStack() as stack:

        def start(children: dict[str, str], grace: float = 5) -> "subprocess.Popen[str]":
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.format(children=children, grace=grace)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def family(process: "subprocess.Popen[str]", size: int) -> list[psutil.Process]:
    """All descendants, once there are `size`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(process.pid).children(recursive=True)
        if len(found) == size:
            return found
        time.sleep(0.05)
    raise AssertionError(f"there are {len(found)} processes, not {size}")


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_also_grandchildren(number: signal.Signals, supervise: Supervise) -> None:
    process = supervise({"plain": SLEEPER, "with a child": PARENT})
    descendants = family(process, 3)
    process.send_signal(number)
    assert process.wait(10) == 0
    assert alive(descendants) == []


def test_a_second_signal_changes_nothing(supervise: Supervise) -> None:
    process = supervise({"plain": SLEEPER})
    descendants = family(process, 1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert alive(descendants) == []


def test_what_ignores_the_request_to_stop_is_killed_after_the_grace(supervise: Supervise) -> None:
    process = supervise({"stubborn": STUBBORN}, grace=0.5)
    descendants = family(process, 1)
    assert process.stdout is not None
    assert process.stdout.readline() == "deaf\n"
    process.terminate()
    assert process.wait(10) == 0
    assert alive(descendants) == []
    assert process.stderr is not None
    assert "killing what did not stop in 0 s: stubborn" in process.stderr.read()


def test_a_child_that_dies_is_started_again_and_said_to_be(supervise: Supervise) -> None:
    process = supervise({"web": SLEEPER})
    [first] = family(process, 1)
    first.kill()
    first.wait(5)
    [second] = family(process, 1)
    assert second.pid != first.pid
    process.terminate()
    _, log = process.communicate(timeout=10)
    assert "web ended (killed by SIGKILL) and is started again" in log


def test_a_child_that_keeps_dying_is_started_more_and_more_slowly(supervise: Supervise) -> None:
    process = supervise({"broken": "import sys; sys.exit(3)"})
    assert process.stderr is not None
    ends = (line.strip() for line in process.stderr if "broken ended (exit code 3)" in line)
    assert next(ends).endswith("is started again")
    assert next(ends).endswith("is started again in 1 s")
    assert next(ends).endswith("is started again in 2 s")
    process.terminate()
    process.communicate(timeout=10)


def test_children_lead_groups_of_their_own_so_that_ctrl_c_reaches_only_the_supervisor(supervise: Supervise) -> None:
    process = supervise({"one": SLEEPER, "two": SLEEPER})
    children = family(process, 2)
    # It is there a moment before its group is.
    wait_for(lambda: {os.getpgid(child.pid) for child in children} == {child.pid for child in children})
    process.terminate()
    process.communicate(timeout=10)


def test_children_do_not_outlive_a_supervisor_that_is_killed(supervise: Supervise) -> None:
    process = supervise({"plain": SLEEPER})
    descendants = family(process, 1)
    process.kill()
    process.wait(5)
    gone, left = psutil.wait_procs(descendants, timeout=5)
    assert (len(gone), left) == (1, [])
