"""The composed plan, its verdict and its uncertainty.

In: a scenario and the catalog. Out: a `Plan` that holds every stage, the document `plan/1`, and the
ranges, turning points and odds around its verdict.
"""
