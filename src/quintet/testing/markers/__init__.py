"""Markers: one list that every invocation knows, all unknown ones at once, and what a demanding one demands."""
