"""Show the rules of every kind, change their order, preview them, and bring earlier versions back."""
