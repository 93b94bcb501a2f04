"""What a sabotage has found, told so that somebody acts on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quintet.testing.sabotage.order import Outcome

__all__ = ["Finding", "Report"]

SHOWN_TESTS = 3
WIDTH = 24


@dataclass(frozen=True)
class Finding:
    """A defect and the tests that were run with it."""

    name: str
    says: str
    outcomes: Sequence[Outcome]
    seconds: float
    words: str = ""  # what the pass printed, where no test was begun

    @property
    def met(self) -> list[Outcome]:
        """Tests in which it really struck."""
        return [outcome for outcome in self.outcomes if outcome.met.get(self.name)]

    @property
    def noticed(self) -> list[Outcome]:
        """Of these, those that failed. A test that failed without having met it has noticed something else."""
        return [outcome for outcome in self.met if outcome.outcome == "failed"]

    @property
    def hung(self) -> list[Outcome]:
        """Tests that were still running when the pass was ended."""
        return [outcome for outcome in self.outcomes if outcome.outcome == "running"]

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.noticed:
            return "noticed"
        return "UNNOTICED" if self.met or self.hung or self.words else "not exercised"

    def line(self) -> str:
        """In a line, and those who noticed."""
        if self.verdict == "not exercised":
            return f"{self.name:<{WIDTH}} not exercised   {self.says}"
        if self.words:
            return f"{self.name:<{WIDTH}} UNNOTICED       its pass did not begin:\n{self.words}"
        count = f"{len(self.noticed)} of {len(self.met)}"
        head = f"{self.name:<{WIDTH}} {self.verdict:<13}   by {count:<9} {self.seconds:5.1f} s   {self.says}"
        more = [f"    {outcome.test}: {outcome.words}" for outcome in self.noticed[:SHOWN_TESTS]]
        if len(self.noticed) > SHOWN_TESTS:
            more.append(f"    … and {len(self.noticed) - SHOWN_TESTS} more")
        more += [f"    {outcome.test}: never came back; give its waits a deadline" for outcome in self.hung]
        if self.verdict == "UNNOTICED":
            more += [
                f"    stayed green: {outcome.test}" for outcome in self.met[:SHOWN_TESTS] if outcome not in self.hung
            ]
        return "\n".join([head, *more])


@dataclass
class Report:
    """Of all passes."""

    told: Sequence[Outcome]  # the plain pass
    seconds: float
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """Tests that are not green without any defect."""
        return [outcome for outcome in self.told if outcome.outcome in {"failed", "running"}]

    @property
    def speaking(self) -> list[Outcome]:
        """Tests that have spoken to a server."""
        return [outcome for outcome in self.told if outcome.messages]

    def meeting(self, defect: str) -> list[Outcome]:
        """Tests that give a defect something to falsify."""
        return [outcome for outcome in self.told if outcome.met.get(defect)]

    def add(self, finding: Finding, number: int, of: int) -> str:
        """One more; the line to show."""
        self.findings.append(finding)
        return f"[{number:>{len(str(of))}}/{of}] {finding.line()}"

    def plain(self) -> str:
        """The plain pass in a few lines."""
        mute = len(self.told) - len(self.speaking)
        lines = [
            f"sabotage: {len(self.told)} tests in {self.seconds:.1f} s, {len(self.speaking)} of them speak to a server, by HTTP, a socket or a stream"
        ]
        if mute:
            lines.append(
                f"sabotage: {mute} speak to none: whatever a server does, they cannot notice it; they are left out"
            )
        return "\n".join(lines)

    @property
    def exit_code(self) -> int:
        """0 where every defect that was exercised was noticed, and one was."""
        bad = [finding for finding in self.findings if finding.verdict == "UNNOTICED"]
        return 1 if bad or not any(finding.verdict == "noticed" for finding in self.findings) else 0

    def verdict(self) -> str:
        """The last lines."""
        if self.failed:
            lines = [f"    {outcome.test}: {outcome.words or outcome.outcome}" for outcome in self.failed]
            return "\n".join(
                ["sabotage: not green without any defect; nothing can be learnt from it before that is mended:", *lines]
            )
        if not self.speaking:
            return f"sabotage: no test speaks to a server, so no defect can turn it red. {PROVES_NOTHING}"
        by = {
            word: [f.name for f in self.findings if f.verdict == word]
            for word in ("noticed", "UNNOTICED", "not exercised")
        }
        lines = [
            f"sabotage: {len(self.findings)} defects: {len(by['noticed'])} noticed, {len(by['UNNOTICED'])} unnoticed, "
            f"{len(by['not exercised'])} not exercised"
        ]
        if by["UNNOTICED"]:
            lines.append(f"sabotage: unnoticed: {', '.join(by['UNNOTICED'])}")
        if by["not exercised"]:
            lines.append(
                f"sabotage: nothing to strike at in any test, so neither noticed nor not: {', '.join(by['not exercised'])}"
            )
        if not by["noticed"]:
            lines.append(f"sabotage: {PROVES_NOTHING}")
        return "\n".join(lines)


PROVES_NOTHING = "A suite that stays green whatever the server does proves nothing."
