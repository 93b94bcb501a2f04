"""An examination as text for a terminal, as Markdown, and as JSON."""
