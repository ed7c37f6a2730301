"""Cited numbers and the register of those a plan used.

In: the TOML files of hardware_catalog. Out: a `Catalog` of numbers in SI base units, each with its
source and range, and a `Ledger` that remembers which of them were used.
"""
