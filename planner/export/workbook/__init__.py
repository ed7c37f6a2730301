"""The workbook: the plan's money and megawatts as live formulas, from inputs to net present value.

cells: numbers that know their formula. sheets: what is written, and how it looks. inputs: the
yellow cells. The other modules are one sheet each, in the order in which a value flows.
"""
