"""Register what this app has with the apps below it: its menu, its pages of the back office, and its work."""
