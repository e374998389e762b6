"""LinkedIn's API as far as Lead Sync goes, on 127.0.0.1: OAuth, introspection, forms, leads, subscriptions.

`python -m config.demo.linkedin_api` starts it. It speaks what LinkedIn documents (docs/providers.md) and no more:
Rest.li's literal parentheses around percent-encoded URNs, the required headers, its errors, its paging, its challenge.
What a member or time would do on LinkedIn's side is POSTed to `/_stand_in/<what>`; LinkedIn has no such addresses.
"""

from config.demo.linkedin_api.server import Gateway, StandIn, serving

__all__ = ["Gateway", "StandIn", "serving"]
