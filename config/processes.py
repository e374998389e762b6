"""Ask the kernel about processes: end with the parent, open files, free memory."""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 128 * 1024
MAX_FILES = 65_536


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to send this process `signal_number` when its parent ends for any reason (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended meanwhile
        os.kill(os.getpid(), signal_number)


def raise_file_limit() -> None:
    """Raise this process's limit of open files to the allowed maximum, because each connection is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def return_freed_memory() -> None:
    """Let the C library return large freed blocks of memory to the system (glibc only).

    By default glibc raises this size with every large block, and so keeps the memory that many large bodies needed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
