"""Cited numbers and the register of those a plan used."""
