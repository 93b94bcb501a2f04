"""How right is the failure analyst? `python -m benchmarks.triage DIR` reads a folder of runs whose causes are known.

Every folder in DIR holds a report and a `case.json`. Printed are: entries with the right category, causes found, the first cause and the first
three, proven claims that are false, claims that must not be made, wrong totals, time and memory, and whether the same input gave the same bytes.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.triage.cases import Known, cases_in
from benchmarks.triage.flood import flood
from benchmarks.triage.measure import Measured, analysed
from benchmarks.triage.scoring import Score, score

_FLOOD = 1_100


def main() -> int:
    """Measure, and print. 1 when a bound is missed."""
    wish = argparse.ArgumentParser(prog="python -m benchmarks.triage", description=__doc__)
    wish.add_argument("folder", type=Path, help="a folder with one folder for each case")
    wish.add_argument("--details", action="store_true", help="every entry that got a wrong category")
    chosen = wish.parse_args()
    scores, runs = [], []
    for known in cases_in(chosen.folder):
        measured = analysed(known.files)
        scores.append(score(known, measured.data, measured.texts))
        runs.append((known, measured, analysed(known.files, seed=7).raw == measured.raw))
    if not scores:
        print(f"no case.json below {chosen.folder}", file=sys.stderr)
        return 2
    _print_cases(scores, runs, details=chosen.details)
    return 0 if _print_sum(scores, runs) & _print_flood() else 1


def _print_cases(scores: Sequence[Score], runs: Sequence[tuple[Known, Measured, bool]], *, details: bool) -> None:
    print(f"{'case':<34} {'entries':>9} {'causes':>7} first three seconds  MB")
    for one, (_, measured, same) in zip(scores, runs, strict=True):
        marks = [_mark(one.first), _mark(one.third)]
        print(
            f"{one.name[:34]:<34} {one.right:>4}/{one.labelled:<4} {one.found:>3}/{one.labels:<3} "
            f"{marks[0]:>5} {marks[1]:>5} {measured.seconds:>7.2f} {measured.peak_mb:>4.0f}"
        )
        problems = [f"PROVEN AND FALSE {words}" for words in one.false_proven]
        problems += [f"MUST NOT CLAIM {words}" for words in one.forbidden]
        problems += [f"TOTALS {words}" for words in one.totals]
        problems += [] if same else ["NOT THE SAME BYTES"]
        problems += [f"wrong: {words}" for words in one.wrong] if details else []
        for words in problems:
            print(f"    {words}")


def _mark(right: bool | None) -> str:
    return "-" if right is None else "yes" if right else "no"


def _print_sum(scores: Sequence[Score], runs: Sequence[tuple[Known, Measured, bool]]) -> bool:
    entries, right = sum(one.labelled for one in scores), sum(one.right for one in scores)
    labels, found = sum(one.labels for one in scores), sum(one.found for one in scores)
    asked = [one for one in scores if one.first is not None]
    first, third = sum(bool(one.first) for one in asked), sum(bool(one.third) for one in asked)
    per_case = [one.right / one.labelled for one in scores if one.labelled]
    bad = [sum(len(getattr(one, name)) for one in scores) for name in ("false_proven", "forbidden", "totals")]
    same = all(one[2] for one in runs)
    print(
        f"\nentries  {_share(right, entries)}  (mean of the cases {100 * sum(per_case) / max(1, len(per_case)):.1f} %)"
    )
    print(f"causes   {_share(found, labels)}")
    print(f"first    {_share(first, len(asked))}   among three {_share(third, len(asked))}")
    print(
        f"false proven {bad[0]}   must not be claimed {bad[1]}   wrong totals {bad[2]}   same bytes {'yes' if same else 'NO'}"
    )
    print(f"slowest {max(one[1].seconds for one in runs):.2f} s   biggest {max(one[1].peak_mb for one in runs):.0f} MB")
    good = right >= 0.85 * entries and first >= 0.7 * len(asked) and third >= 0.85 * len(asked)
    return good and not any(bad) and same


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole if whole else 100:.1f} %"


def _print_flood() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "flood.txt")
        path.write_text(flood(_FLOOD), encoding="utf-8")
        measured = analysed([path])
    print(f"{_FLOOD} different failures: {measured.seconds:.2f} s, {measured.peak_mb:.0f} MB")
    return measured.seconds <= 10 and measured.peak_mb <= 300 and measured.data["totals"]["failures"] == _FLOOD


if __name__ == "__main__":
    sys.exit(main())
