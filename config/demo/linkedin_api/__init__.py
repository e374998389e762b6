"""Serve LinkedIn's API for Lead Sync on 127.0.0.1: OAuth, introspection, forms, leads, subscriptions.

`python -m config.demo.linkedin_api` starts it. It implements only what LinkedIn documents (docs/providers.md):
Rest.li's literal parentheses around percent-encoded URNs, the required headers, errors, paging and the challenge. A
POST to `/_stand_in/<what>` does what a member or time would do at LinkedIn, which has no such addresses.
"""

from config.demo.linkedin_api.gateway import Gateway
from config.demo.linkedin_api.server import StandIn, serving

__all__ = ["Gateway", "StandIn", "serving"]
