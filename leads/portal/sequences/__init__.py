"""Show sequences, what they do and for whom, and the e-mails that they send."""
