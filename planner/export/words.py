"""What options and lines are called in documents."""

from planner.money.tax import LABELS

OPTIONS = {
    "as-built": "As built today",
    "monolithic-software": "Same chips, software on",
    "split-same-chip": "Split, same chips",
    "split-capped": "Split, decode capped",
    "split-mixed": "Split, best chips",
    "split-specialised": "Split, paper chips",
    "proposed": "Proposed mix",
}
TITLES = {
    "capex_usd": "Capital of new chips, all in",
    "capital_usd_per_year": "Chips and servers",
    "space_usd_per_year": "Space and power plant",
    "energy_usd_per_year": "Electricity",
    "support_usd_per_year": "Support",
    "staff_usd_per_year": "Staff",
    "licences_usd_per_year": "Software licences",
    "memory_usd_per_year": "Of chips and servers: memory",
    "energy_kwh_per_year": "Electricity metered, kWh",
    **{name: LABELS[name] for name in ("fabric", "orchestration", "flexibility")},
    "revenue": "Revenue a year",
    "gross": "Cost a year before the last three",
    "cost": "Cost a year, all in",
    "usd_per_mtok": "Cost per million useful tokens",
    "capex_usd_per_mtok": "Capital per million useful tokens",
    "revenue_usd_per_kwh": "Revenue per kWh",
    "j_per_useful_token": "Watts per useful token a second",
}


def title_of(line: str) -> str:
    """A line in words, also one that has no title yet: staff, of staff_usd_per_year."""
    if line in TITLES:
        return TITLES[line]
    words = line.removesuffix("_per_year").removesuffix("_usd").replace("_", " ")
    return words[:1].upper() + words[1:]
