"""Reading a request log, from bytes on a disk to plain records.

limits, synonyms        what is allowed, and what columns are called
files, columns          which files, in which format, with which fields; nothing is parsed yet
backend, readers        a private database and its view of the files
rows, clock, zones, durations, prefix_cache, gather
                        every row as numbers with its first fault, on one clock
lengths, arrivals, shares, classes, measure
                        what the rows add up to
results                 the records handed out
"""
