"""Work, time and power of one step."""
