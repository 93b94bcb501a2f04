"""What an examination of the project found, beside what its run shows. Pure: the doctor has looked, here it is weighed.

Rules: a finding that speaks of what a cause speaks of is evidence for it; any other is a cause of its own that blocks no entry; a finding
that is only suspected lifts nothing and stands after everything else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from quintet.triage.masking import mask
from quintet.triage.model import Analysis, Category, Cause, Fact, Why
from quintet.triage.normalise import normalise, shorten
from quintet.triage.probes import HIGHER, with_causes

FINDINGS = 60
_OWNER = "test-architecture"
_OF_ENVIRONMENT = "environment-configuration"
# Which doctor's rule tells of which kind of cause; every other is about pytest's configuration.
CATEGORIES: Mapping[str, Category] = {
    "D09": "dependencies", "D13": "async", "D14": "async", "D15": "async", "D16": "async", "D18": "environment", "D19": "environment",
    "D20": "environment", "D21": "environment", "D22": "services", "D23": "services", "D24": "services", "D25": "imports",
    "D26": "imports", "D27": "fixtures", "D28": "dependencies", "D29": "isolation", "D30": "isolation", "D33": "imports", "D35": "imports",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][\w.:-]{3,}")
_COMMON = frozenset(
    (
        *("pytest", "test", "tests", "config", "configuration", "option", "options"),
        *("module", "file", "files", "fixture", "fixtures", "python"),
    )
)


class Finding(NamedTuple):
    """What the doctor says: `certain` where the rule or a probe proves it. `file` is relative to the project, `line` counts from 1."""

    rule: str
    certain: bool
    statement: str
    fix: str
    file: str = ""
    line: int = 0


def examined(analysis: Analysis, findings: Sequence[Finding], *, own: bool = True) -> Analysis:
    """The analysis with the findings in it; with `own` also those that no cause speaks of."""
    causes, facts = list(analysis.causes), list[Fact]()
    order = sorted(findings, key=lambda one: (not one.certain, one.rule, one.file, one.line, one.statement))
    for finding in order[:FINDINGS]:
        fact = _fact(finding, len(facts) + 1)
        at = next((at for at, cause in enumerate(causes) if _speaks_of(cause, finding)), None)
        if at is not None and not _is_own(causes[at]):
            causes[at] = _backed(causes[at], finding, fact)
        elif own:
            causes.append(_cause(finding, fact, len(causes) + 1))
        else:
            continue
        facts.append(fact)
    return with_causes(analysis, tuple(causes), tuple(facts))


def counts(cause: Cause) -> bool:
    """False for what the examination alone only suspects: that is worth a look, and fails nothing."""
    return cause.certainty != "suspect" or not _is_own(cause)


def _clean(words: str) -> str:
    return shorten(mask(normalise(words)), 600)


def _fact(finding: Finding, number: int) -> Fact:
    words = f"{finding.rule}: {_clean(finding.statement)}"
    return Fact(f"D{number}", "finding", _clean(finding.file) or "examination", finding.line, words)


def _is_own(cause: Cause) -> bool:
    return cause.rule.startswith("doctor:")


def _category(finding: Finding) -> Category:
    return CATEGORIES.get(finding.rule, "markers-config")


def _speaks_of(cause: Cause, finding: Finding) -> bool:
    """The same kind, and a name in common that is not just any word of the trade."""
    related = _category(finding) == cause.category or {_category(finding), cause.category} <= {
        "markers-config",
        "dependencies",
    }
    return related and not cause.plain and bool(set(_names(cause.subject)) & set(_names(finding.statement)))


def _names(words: str) -> Iterable[str]:
    return (name.strip(".:-") for name in _WORD.findall(words) if name.lower().strip(".:-") not in _COMMON)


def _backed(cause: Cause, finding: Finding, fact: Fact) -> Cause:
    why = Why("The examination of the project shows the same.", (fact.id,))
    certainty = HIGHER.get(cause.certainty, cause.certainty) if finding.certain else cause.certainty
    whys = cause.whys if len(cause.whys) >= 5 else (*cause.whys[:-1], why, *cause.whys[-1:])
    return replace(cause, certainty=certainty, facts=(*cause.facts[:1], fact, *cause.facts[1:]), whys=whys)


def _cause(finding: Finding, fact: Fact, number: int) -> Cause:
    category = _category(finding)
    owner = _OF_ENVIRONMENT if category in ("environment", "services", "dependencies") else _OWNER
    return Cause(
        f"cause-{number}",
        category,
        "proven" if finding.certain else "suspect",
        _clean(finding.statement),
        owner,
        (fact,),
        (),
        (),
        (Why(_clean(finding.statement), (fact.id,)), Why(_clean(finding.fix), (fact.id,), assumed=not finding.certain)),
        (),
        _clean(finding.fix),
        "quintet doctor",
        1,
        rule=f"doctor:{finding.rule}",
    )
