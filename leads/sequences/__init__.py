"""Write to leads by plan: templates, e-mail of an agency, and sequences of steps."""
