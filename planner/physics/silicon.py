"""Manufacturing cost and power of a chip design by the model of the SPAD paper."""

import numpy as np


def dies_per_wafer(die_mm2: float, wafer_mm: float) -> float:
    """πr²/A − πd/√(2A): gross dies of area A on a wafer of diameter d, no yield loss. Returns: [1]

    Source: SPAD, arXiv 2510.08544, section 6.1.
    """
    whole = np.pi * (wafer_mm / 2) ** 2 / die_mm2
    return float(whole - np.pi * wafer_mm / np.sqrt(2 * die_mm2))


def die_usd(die_mm2: float, wafer_usd: float, wafer_mm: float) -> float:
    """Share of a wafer's price. Returns: [USD]"""
    return wafer_usd / dies_per_wafer(die_mm2, wafer_mm)


def design_power_w(
    die_mm2: float, memory_w: float, *, reference_w: float, reference_mm2: float, overhead: float
) -> float:
    """(A·P_ref/A_ref + memory)/(1 − overhead): equal watts per area, board losses on top. [W]

    Source: SPAD, arXiv 2510.08544, section 6.1.
    """
    return (die_mm2 * reference_w / reference_mm2 + memory_w) / (1 - overhead)
