"""A language model's words below the report, where one is named. It gets the summary and three causes, masked, and nothing else.

A model that cannot be asked costs its words, never the report: the reason is one line on standard error.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace

from quintet.triage import Analysis

from .formats import Format
from .progress import Progress
from .showing import say

__all__ = ["NONE", "words_below"]

NONE = "none"
_WORDED: frozenset[Format] = frozenset({"text", "markdown", "github"})


def words_below(analysis: Analysis, form: Format, name: str | None, progress: Progress) -> str:
    """Markdown to stand below the report, or an empty text."""
    if name in (None, "", NONE) or form not in _WORDED or not analysis.causes:
        return ""
    progress.step(f"{name} is asked for words")
    try:
        said = _asked(analysis, str(name), os.environ)
    except ModuleNotFoundError as missing:
        said = ""
        say(f"No words of a model: a package is not installed ({missing.name}). Run: pip install 'quintet[llm]'")
    except Exception as failed:  # whatever a provider's library raises
        said = ""
        say(f"No words of a model: {str(failed) or type(failed).__name__}")
    progress.end()
    return said


def _asked(analysis: Analysis, name: str, variables: Mapping[str, str]) -> str:
    from quintet.agents.config import ModelConfig
    from quintet.agents.wording import spoken

    seconds = variables.get("QUINTET_MODEL_SECONDS", "")
    config = ModelConfig(
        name,
        base_url=variables.get("QUINTET_MODEL_BASE_URL") or None,
        api_key=variables.get("QUINTET_MODEL_API_KEY") or None,
    )
    return asyncio.run(spoken(replace(config, seconds=float(seconds)) if seconds.isdecimal() else config, analysis))
