"""Measured against predicted.

In: benchmark rows and published results. Out: predictions with their ranges, the calibration that
plans use, the report on its errors, and reproduced studies.
"""
