"""Text to a Run: every format, every runner, and what stands around a report."""
