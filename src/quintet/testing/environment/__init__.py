"""The environment of a test run: placed before anything is imported, checked before anything is collected."""
