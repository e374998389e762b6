"""Wakes the worker that talks to LinkedIn."""

from accounts.core.wakeups import WakeUp

wake_up = WakeUp("leads.tasks.sync", queue="sync").wake_up
