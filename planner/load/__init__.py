"""Percentiles under load and the hand-off between pools."""
