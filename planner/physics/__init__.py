"""Work, time and power of one step.

In: a model, a layout over chips, a chip and the fitted numbers. Out: FLOP, bytes, seconds and watts
of a prefill or decode step, and what fits into memory.
"""
