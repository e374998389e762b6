"""Learn from what became of leads how many points each scoring rule is worth, and let people take that over."""
