"""Cash, the bridge and stranded megawatts.

In: costs, prices and watts of the options. Out: costs a year, quarterly cash with its NPV, IRR and
payback, the tax and its parts, and what power is provisioned and not needed.
"""
