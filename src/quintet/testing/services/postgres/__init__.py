"""A real PostgreSQL for the run: initdb once per machine and version, a copy of its cluster per run, a clone of a template per test."""
