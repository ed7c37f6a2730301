"""Scenarios that outlive a restart.

In: scenarios, own facts and approvals of people with roles. Out: numbered versions, frozen briefs,
share links and a trail of who did what, in SQLite or PostgreSQL.
"""
