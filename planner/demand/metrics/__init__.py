"""What serving engines count about themselves, as an audit reads it.

names, exposition       what the engines' counters are called, and the text they are shown in
addresses               which servers may be asked, and which are given the token
prometheus              the same counters over time, from a Prometheus server
counted, histograms     counts per model and minute, lengths from buckets
adding_up               the audit of what was counted
"""
