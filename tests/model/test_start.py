"""What a configured model changes at the start, and what one that is not configured costs: nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.talking import KEY
from quintet.agents import SHIPPED, ModelConfig, ModelConfigError, shipped
from quintet.engine import AgentSpec
from quintet.settings.model import VARIABLES

pytestmark = pytest.mark.l1

_LEAN = """
import sys
{before}
import quintet.server.assembly
from quintet.agents import ModelConfig, ModelConfigError, shipped
shipped(None)
heavy = [name for name in ("pydantic_ai", "openai", "anthropic", "httpx2") if sys.modules.get(name)]
assert not heavy, heavy
try:
    shipped(ModelConfig("test"))
except ModelConfigError as error:
    print(error)
"""


def _python(before: str) -> str:
    line = [sys.executable, "-c", _LEAN.format(before=before)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_a_model_nothing_of_it_is_imported() -> None:
    """The server and its agents are imported without pydantic-ai or any provider; with a model they come."""
    assert _python("") == ""


def test_a_missing_extra_is_said_with_its_fix() -> None:
    """Where pydantic-ai is not installed a configured model stops the start with a line that says what to run."""
    told = _python("sys.modules['pydantic_ai'] = None")
    assert told.endswith("Run: pip install 'quintet[llm]'")
    assert "\n" not in told


def test_the_same_names_with_and_without_a_model() -> None:
    """A model changes who answers, not what people choose from."""
    assert shipped() == SHIPPED
    assert [spec.name for spec in shipped(ModelConfig("test"))] == [spec.name for spec in SHIPPED]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (ModelConfig("nobody:x"), "Unknown provider: nobody"),
        (ModelConfig("openai:x"), "its key is not. Set QUINTET_MODEL_API_KEY"),
        (ModelConfig("anthropic:x"), "its key is not. Set QUINTET_MODEL_API_KEY"),
        (ModelConfig("groq:x", api_key=KEY), "pip install 'quintet[llm]' 'pydantic-ai-slim[groq]'"),
        (ModelConfig("openrouter:x", "http://localhost:1/v1", KEY), "takes no QUINTET_MODEL_BASE_URL"),
    ],
    ids=lambda value: value.name if isinstance(value, ModelConfig) else "",
)
def test_a_model_that_cannot_be_used_stops_the_start(
    config: ModelConfig, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for the operator, with the fix and without the key."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelConfigError) as caught:
        shipped(config)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert KEY not in repr(config)


def test_the_agent_of_the_documentation_is_one() -> None:
    """What docs/models.md shows to be copied is an agent, in at most five lines of code, made without any key."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(shown, names)
    poet = names["poet"]
    assert isinstance(poet, AgentSpec)
    assert poet.is_async
    code = [line for line in shown.splitlines() if line and not line.startswith("from ")]
    assert len(code) <= 5


def test_the_documentation_names_every_setting() -> None:
    """docs/models.md speaks of each variable of the model."""
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    assert all(name in page for name in VARIABLES if name.startswith("QUINTET_MODEL"))
