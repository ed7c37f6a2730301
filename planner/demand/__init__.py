"""What is asked for and what is really served.

In: a scenario, a request log or the counters of serving engines. Out: requests, tokens and lengths
by class and month, and an `Audit` of what was measured.
"""
