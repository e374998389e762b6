"""Decide who gets a lead: pools that deal by turns, routing rules, and the list of leads that nobody has."""
