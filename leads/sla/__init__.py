"""Response clocks: how long leads wait for a person's answer, in working time, with warnings."""
