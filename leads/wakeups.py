"""Wakes the worker that talks to LinkedIn."""

from accounts.core.wakeups import Doorbell

ring = Doorbell("leads.tasks.sync", queue="sync").ring
