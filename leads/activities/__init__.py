"""Tasks and notes: what members have to do about leads, and what they noted."""
