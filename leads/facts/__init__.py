"""Facts about a lead that are derived from what its form or provider says, for conditions and figures."""
