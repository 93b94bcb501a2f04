"""The tools of the triage team: work on one report, made anew for every run.

Rules: a tool's arguments and answers are short (ids, counts, one-line excerpts), the report itself stays here; the work is real
and pure; it runs in a thread, because a big report takes longer than a socket's neighbour should wait.
"""

from collections.abc import Sequence
from typing import Any

from quintet.engine import ToolSpec, tool
from quintet.triage import SPECIALISTS, Analysis, Case, Findings, Run, analyse, build_case, conclude, read, sections
from quintet.triage.followup import Answer, answer

__all__ = ["Casework", "Inquiry", "Recollection"]

_SECONDS = 60
_SHOWN = 12


class Casework:
    """One report on the supervisor's desk."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._run: Run | None = None
        self._case: Case | None = None
        self._analysis: Analysis | None = None
        self.findings = Findings()
        self.parse_report: ToolSpec[[str], dict[str, Any]] = tool(name="parse_report", timeout=_SECONDS)(self._parse)
        self.cluster_failures: ToolSpec[[], list[dict[str, Any]]] = tool(name="cluster_failures", timeout=_SECONDS)(
            self._cluster
        )
        self.weigh_claims: ToolSpec[[list[str]], list[dict[str, Any]]] = tool(name="weigh_claims", timeout=_SECONDS)(
            self._weigh
        )

    @property
    def run(self) -> Run:
        """What was read. `parse_report` comes first."""
        if self._run is None:
            raise RuntimeError("the report has not been parsed")
        return self._run

    @property
    def case(self) -> Case:
        """Clusters and facts. `cluster_failures` comes first."""
        if self._case is None:
            raise RuntimeError("the failures have not been clustered")
        return self._case

    @property
    def analysis(self) -> Analysis:
        """The result. `weigh_claims` comes first, unless there is nothing to weigh."""
        if self._analysis is None:
            self._analysis = conclude(self.run, self._case or build_case(self.run), Findings())
        return self._analysis

    @property
    def report(self) -> list[str]:
        """The report in pieces."""
        return sections(self.analysis)

    def _parse(self, source: str) -> dict[str, Any]:
        """Read the text as a test report."""
        run = self._run = read(self._text, source)
        totals = run.totals
        return {
            "kind": run.kind,
            "tests": totals.tests,
            "passed": totals.passed,
            "failed": totals.failures,
            "errors": totals.errors,
            "skipped": totals.skipped,
            "entries": len(run.entries),
        }

    def _cluster(self) -> list[dict[str, Any]]:
        """Put entries together that failed in the same way."""
        case = self._case = build_case(self.run)
        return [
            {"id": one.id, "entries": len(one.members), "phase": one.phase, "error": _line(one.exception, one.message)}
            for one in case.clusters[:_SHOWN]
        ]

    def _weigh(self, claims: list[str]) -> list[dict[str, Any]]:
        """Weigh claims, named by their ids, against each other and against the challenges that were heard."""
        wanted = set(claims)
        chosen = tuple(claim for claim in self.findings.claims if claim.id in wanted)
        self._analysis = conclude(self.run, self.case, Findings(chosen, self.findings.challenges))
        return [
            {"id": cause.id, "category": cause.category, "certainty": cause.certainty, "blocks": cause.blocks}
            for cause in self._analysis.causes[:_SHOWN]
        ]


class Inquiry:
    """What one specialist has before it: the case, and what the others have said."""

    def __init__(self, specialist: str, case: Case, so_far: Findings) -> None:
        self._specialist, self._case, self._so_far = specialist, case, so_far
        self.findings = Findings()
        self.look_up_rules: ToolSpec[[list[str]], list[dict[str, Any]]] = tool(name="look_up_rules", timeout=_SECONDS)(
            self._look_up
        )
        self.gather_facts: ToolSpec[[list[str]], list[dict[str, Any]]] = tool(name="gather_facts", timeout=_SECONDS)(
            self._gather
        )

    def _look_up(self, groups: list[str]) -> list[dict[str, Any]]:
        """Compare groups of failures with this specialist's rules, and with what the others claimed about them."""
        wanted = set(groups)
        clusters = tuple(one for one in self._case.clusters if one.id in wanted)
        case = Case(self._case.kind, self._case.totals, clusters, self._case.facts, self._case.gaps)
        self.findings = SPECIALISTS[self._specialist](case, self._so_far)
        return [
            {
                "rule": claim.rule,
                "category": claim.category,
                "certainty": claim.certainty,
                "groups": list(claim.clusters),
            }
            for claim in self.findings.claims[:_SHOWN]
        ] + [{"challenges": one.claim, "groups": list(one.clusters)} for one in self.findings.challenges[:_SHOWN]]

    def _gather(self, facts: list[str]) -> list[dict[str, Any]]:
        """The lines of the report behind some facts."""
        wanted = set(facts)
        found = [fact for fact in self._case.facts if fact.id in wanted]
        return [{"id": fact.id, "line": fact.line, "excerpt": fact.excerpt} for fact in found[:_SHOWN]]


class Recollection:
    """A report of before, and a question about it."""

    def __init__(self, text: str, question: str, earlier: Sequence[str]) -> None:
        self._text, self._question, self._earlier = text, question, earlier
        self._analysis: Analysis | None = None
        self.answer = Answer("")
        self.recall_report: ToolSpec[[], dict[str, Any]] = tool(name="recall_report", timeout=_SECONDS)(self._recall)
        self.look_up_facts: ToolSpec[[str], dict[str, Any]] = tool(name="look_up_facts", timeout=_SECONDS)(
            self._look_up
        )

    def _recall(self) -> dict[str, Any]:
        """Read the report once more: the same text gives the same causes."""
        found = self._analysis = analyse(self._text, "message")
        return {
            "kind": found.run.kind,
            "entries": len(found.run.entries),
            "causes": [
                {"id": one.id, "category": one.category, "certainty": one.certainty, "blocks": one.blocks}
                for one in found.causes[:_SHOWN]
            ],
        }

    def _look_up(self, question: str) -> dict[str, Any]:
        """Look for what the question asks among the facts of the report."""
        if self._analysis is None:
            raise RuntimeError("the report has not been recalled")
        self.answer = answer(self._analysis, self._question or question, self._earlier)
        return {"about": self.answer.about or "not understood", "cause": self.answer.cause}


def _line(exception: str, message: str) -> str:
    words: Sequence[str] = (exception.rpartition(".")[2], message.partition("\n")[0])
    return ": ".join(word for word in words if word)[:200]
