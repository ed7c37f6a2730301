"""The ladder of options and the cheapest pools for each.

In: demands by class, the chips on offer and the limits of a site. Out: pools of replicas for every
option, as many as the service levels need, with what they draw.
"""
