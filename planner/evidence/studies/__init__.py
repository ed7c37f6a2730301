"""Studies of published results, by subject; each yields its rows."""
