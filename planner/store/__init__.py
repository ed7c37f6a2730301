"""Scenarios that outlive a restart."""
