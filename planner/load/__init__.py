"""Percentiles under load and the hand-off between pools.

In: rates, moments of lengths and times of a step by batch. Out: means and late percentiles of
waits, first tokens and further tokens; infinite where a pool is unstable.
"""
