"""Switchyard: an analytical planner for LLM-inference fleets."""
