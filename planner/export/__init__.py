"""The page that gets signed and the files that get audited.

In: a plan. Out: the brief and its appendix as PDF, a workbook of live formulas, tables, charts and
the scenario as a file.
"""
