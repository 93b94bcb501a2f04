"""Collect-only runs of the project's own pytest: bounded, silent, and without a trace in the tree.

1. What would stop the run at once (an option that nobody knows, a plugin that is required) is noted and taken out of the next attempt,
   so that one fault does not hide the others. At most eight attempts.
2. What a run could write goes elsewhere or is switched off, if the project asks for it; the rest is refused by the probe itself.
3. A run that did not finish proves nothing but its own end.
"""

import json
import re
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quintet.triage.masking import mask

from .arguments import passed_on, without, without_plugins, words
from .asking import START
from .collected import ENDED, Collected
from .configuration import Configuration
from .invocations import Invocation
from .processes import Ran, environment, run
from .tree import Tree

__all__ = ["Clock", "Run", "collect"]

MOST_ATTEMPTS = 8
_UNRECOGNIZED = re.compile(r"^\S*:? ?error: unrecognized arguments: (.+)$", re.MULTILINE)
_NO_PLUGINS = re.compile(r"Missing required plugins: (.+)")
_TOO_OLD = re.compile(r"requires pytest-(\S+), actual pytest-")
_NO_PLUGIN = re.compile(r"Error importing plugin \"([^\"]+)\": (.+)")
_NO_MODE = re.compile(r"'([^']*)' is not a valid asyncio_mode")


class Clock:
    """The time that all probes of an examination have together, and the most that one may take. Seconds."""

    def __init__(self, whole: float, each: float) -> None:
        self._end = time.monotonic() + whole
        self._each = each

    def left(self) -> float:
        """What the next probe may take; not positive when the time is used up."""
        return min(self._each, self._end - time.monotonic())


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt: what to start, and what is taken out of the project's configuration for it."""

    python: Path
    tree: Tree
    invocation: Invocation
    ruling: Configuration | None
    major: int
    seed: int = 1


@dataclass(slots=True)
class _Noted:
    """What one attempt has shown, taken out of the way of the next."""

    found: dict[str, Any] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    reads: list[tuple[str, str, int, bool]] = field(default_factory=list)

    def learn(self, wanted: Run, found: Collected, ran: Ran) -> bool:
        """Whether the next attempt can come further than this one."""
        self.reads += [tuple(one) for one in found.said.get("reads", ())]
        if found.finished:
            return False
        faults = {} if found.said.get("left") else _faults(ran)
        if faults and all(set(faults[key]) <= set(self.found.get(key, ())) for key in faults):
            return False  # it stands where no option takes it out, as in a conftest
        if faults:
            for key in ("unrecognized", "unloadable"):
                self.found[key] = (*self.found.get(key, ()), *faults.pop(key, ()))
            self.found |= faults
            self.overrides |= _taken_out(wanted.ruling, self.found)
            return True
        return self._pass_by(found)

    def _pass_by(self, found: Collected) -> bool:
        """A variable that a conftest misses gets a value that nobody takes for a right one; a module that leaves is passed over."""
        name = str(found.conftest["text"]).strip("'\"") if found.conftest else ""
        if (
            found.conftest
            and any(name == read[0] and not read[3] for read in self.reads)
            and name not in self.variables
        ):
            self.earlier.append({**found.conftest, "conftest": True})
            self.variables[name] = "set-by-quintet-doctor"
            return True
        left = found.said.get("left")
        if left and left.get("frames") and left["frames"][-1][0] not in self.ignored:
            self.earlier.append({**left, "left": True})
            self.ignored += [frame[0] for frame in left["frames"]]
            return not any(frame[0].endswith("conftest.py") for frame in left["frames"])
        return False


def collect(wanted: Run, clock: Clock) -> Collected:
    """Collects as the invocation would. Never raises for what the project does."""
    noted = _Noted()
    found = Collected()
    for _ in range(MOST_ATTEMPTS):
        found, ran = _attempt(wanted, noted, clock)
        if ran is None or not noted.learn(wanted, found, ran):
            break
    earlier = noted.earlier if found.said.get("left") is None else [one for one in noted.earlier if not one.get("left")]
    said = {**found.said, **({"left": {**found.said["left"], "left": True}} if found.said.get("left") else {})}
    return Collected(
        said=said,
        why_not=found.why_not,
        module=wanted.invocation.module,
        earlier=tuple(earlier),
        reads=tuple(noted.reads),
        **noted.found,
    )


def _attempt(wanted: Run, noted: _Noted, clock: Clock) -> tuple[Collected, Ran | None]:
    seconds = clock.left()
    if seconds <= 0:
        return Collected(why_not="the time for probes was used up"), None
    with tempfile.TemporaryDirectory(prefix="quintet-doctor-") as own:
        answer = Path(own) / "answer.json"
        style = "module" if wanted.invocation.module else "program"
        options = _options(wanted, Path(own), noted.overrides) + [f"--ignore={file}" for file in noted.ignored]
        command = [str(wanted.python), str(START), "collecting", str(answer), str(wanted.tree.root), style, *options]
        variables = environment(
            PYTHONHASHSEED=str(wanted.seed),
            HYPOTHESIS_STORAGE_DIRECTORY=f"{own}/hypothesis",
            COVERAGE_FILE=f"{own}/coverage",
            MYPY_CACHE_DIR=f"{own}/mypy",
            **noted.variables,
        )
        try:
            ran = run(command, wanted.tree.root / wanted.invocation.folder, variables, seconds)
        except OSError as error:
            return Collected(why_not=f"{wanted.python} cannot be run: {error.strerror}"), None
        said = _answer(answer)
    if ran.code is None and not said.get("finished"):
        return Collected(said, why_not=f"collecting took longer than {seconds:.0f} s"), ran
    if not said:
        return Collected(why_not=f"the probe ended with {ran.code}: {_last_line(ran.errors)}"), ran
    return Collected(said, why_not="" if said.get("finished") else _why(said, ran)), ran


def _answer(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _why(said: Mapping[str, Any], ran: Ran) -> str:
    if said.get("refused"):
        return "something in the run writes into the tree, which a probe does not allow"
    if said.get("conftest"):
        return "a conftest cannot be imported, so nothing is collected"
    broke = said.get("broke")
    words = (
        f"{broke['kinds'][0].rpartition('.')[2]}: {broke['text'][:200]}"
        if broke
        else _last_line(ran.errors or ran.output)
    )
    return mask(ENDED + " ".join(words.split()))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().split("\n") if line.strip()]
    told = [line for line in lines if line.startswith(("ERROR", "E  ")) or "error:" in line]
    return (told or lines or ["no words"])[-1][:300]


def _faults(ran: Ran) -> dict[str, Any]:
    """What pytest refuses before it imports anything, from its own words."""
    found: dict[str, Any] = {}
    if at := _UNRECOGNIZED.search(ran.errors):
        found["unrecognized"] = tuple(words(at[1]))
    if at := _NO_PLUGIN.search(ran.errors):
        found["unloadable"] = (at[1],)
    for key, pattern in (("missing_plugins", _NO_PLUGINS), ("too_old", _TOO_OLD), ("bad_mode", _NO_MODE)):
        if at := pattern.search(ran.errors):
            found[key] = at[1].strip()
    return found


def _taken_out(ruling: Configuration | None, found: Mapping[str, Any]) -> dict[str, str]:
    overrides: dict[str, str] = {}
    if found.get("unrecognized") or found.get("unloadable"):
        kept = without(ruling.words("addopts") if ruling else (), found.get("unrecognized", ()))
        overrides["addopts"] = shlex.join(without_plugins(kept, found.get("unloadable", ())))
    overrides |= {setting: value for key, (setting, value) in _HARMLESS.items() if found.get(key)}
    return overrides


_HARMLESS = {
    "missing_plugins": ("required_plugins", ""),
    "too_old": ("minversion", ""),
    "bad_mode": ("asyncio_mode", "strict"),
}
"""For a fault of this name: the setting that caused it, and a value with which pytest starts."""


_SWITCHED_OFF = {  # the project's option, and the one that takes it back
    "--cov": "--no-cov",
    "--junit": "--junitxml=",
    "--log-file": "--log-file=",
    "--html": "--html=",
    "--report-log": "--report-log=",
    "-n": "-n0",
    "--numprocesses": "-n0",
    "--randomly": "--randomly-seed=1",
}


def _unshuffled(asked: Sequence[str]) -> list[str]:
    """Without the plugins that shuffle the tests, unless their options are asked for: workers share a shuffled order, so it proves nothing."""
    shufflers = {"randomly": "--randomly", "random_order": "--random-order", "reverse": "--reverse"}
    named = [
        name for name, option in shufflers.items() if not any(word.startswith(option) or name in word for word in asked)
    ]
    return [word for name in named for word in ("-p", f"no:{name}")]


def _options(wanted: Run, own: Path, overrides: Mapping[str, str]) -> list[str]:
    asked = (
        words(overrides["addopts"])
        if "addopts" in overrides
        else (wanted.ruling.words("addopts") if wanted.ruling else ())
    )
    off = {after for word in asked for before, after in _SWITCHED_OFF.items() if word.startswith(before)}
    settings = {"cache_dir": str(own / "cache")} | dict(overrides)
    if wanted.major >= 9:
        settings |= dict.fromkeys(("strict", "strict_markers", "strict_config"), "false")
    chosen = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    return [
        "--collect-only",
        "--maxfail=0",
        *_unshuffled(asked),
        "-W",
        "always::pytest.PytestConfigWarning",
        *sorted(off),
        *chosen,
        *passed_on(wanted.invocation.arguments),
    ]
