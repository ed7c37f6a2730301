"""What documents there are: papers, states of approval, and kinds of file."""

PAPERS = ("a4", "letter")
STATUSES = ("DRAFT", "REVIEWED", "APPROVED")
KINDS = ("pdf", "appendix", "xlsx", "csv", "json", "toml", "svg", "png")
