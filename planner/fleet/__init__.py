"""The ladder of options and the cheapest pools for each."""
