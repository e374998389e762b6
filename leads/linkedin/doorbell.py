"""Wakes the worker that talks to LinkedIn."""

from accounts.doorbell import Doorbell

ring = Doorbell("leads.tasks.sync", queue="sync").ring
