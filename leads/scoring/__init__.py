"""Score leads by an agency's rules, and say why."""
