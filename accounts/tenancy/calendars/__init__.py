"""Working hours: weekly blocks in a time zone with dated exceptions, as intervals of UTC."""
