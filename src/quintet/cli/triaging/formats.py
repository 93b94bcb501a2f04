"""The names of the report's forms."""

from typing import Literal

__all__ = ["Format"]

Format = Literal["text", "markdown", "html", "json", "github", "ctrf", "junit"]
