"""The report as one HTML file.

Rules: it stands alone (its policy forbids every request and every script); each word that was read goes through `escape`; a claim
links to its evidence and a plan's step to its cause; what is beyond a bound is counted.
"""

from collections.abc import Iterable, Sequence
from html import escape

from quintet.triage.model import Analysis, Cause, Fact, Why
from quintet.triage.normalise import shorten
from quintet.triage.reports.picture import picture
from quintet.triage.reports.style import STYLE
from quintet.triage.reports.words import (
    KINDS,
    NOTHING,
    TITLES,
    View,
    affected,
    effort,
    entries,
    many,
    packages,
    place,
    spans,
    summary,
)

WIDE, NARROW = 760, 360  # units of the two pictures: for a desk and for a phone
_SHOWN, _MOST = 6, 500  # names of entries at once, and when unfolded
_CAUSES, _STEPS = 100, 60
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html(analysis: Analysis) -> str:
    """The whole page."""
    parts = [_nothing()] if analysis.run.kind == "nothing" and not analysis.causes else _parts(analysis)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_title(analysis)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + _calm("\n".join(part for part in parts if part))
        + "\n</main>\n</body>\n</html>\n"
    )


def _calm(page: str) -> str:
    """Nothing that a build log would obey, should the page be printed into one."""
    return page.replace("##", "#&#35;")


def _title(analysis: Analysis) -> str:
    real = sum(1 for cause in analysis.causes if not cause.plain)
    return f"Failure analysis: {many(real, 'cause', 'causes')}"


def _nothing() -> str:
    return (
        f"<h1>{NOTHING}</h1><p>Give the whole output of <code>pytest -ra --tb=short</code>, or a file made with"
        " <code>pytest --junitxml=report.xml</code>.</p><p>Nothing in the text was executed, and nothing was concluded from it.</p>"
    )


def _parts(analysis: Analysis) -> Iterable[str]:
    yield _header(analysis)
    yield _summary(analysis)
    drawn = picture(analysis, WIDE) + picture(analysis, NARROW)
    yield f'<section aria-label="Picture">{drawn}</section>' if drawn else ""
    yield _plan(analysis)
    yield _causes(analysis)
    yield _packages(analysis)
    yield _metrics(analysis)
    yield _list("What is not known", [_prose(sentence) for sentence in analysis.unknown[:_STEPS]])


def _header(analysis: Analysis) -> str:
    run, totals = analysis.run, analysis.run.totals
    counted = (
        ("tests", totals.tests, ""),
        ("passed", totals.passed, "ok"),
        ("failed", totals.failures, "bad" if totals.failures else ""),
        ("errors", totals.errors, "bad" if totals.errors else ""),
        ("skipped", totals.skipped, ""),
    )
    items = "".join(f'<li class="{style}"><b>{number:,}</b> {word}</li>' for word, number, style in counted)
    read = f"Read as {KINDS[run.kind]}: {shorten(run.source, 300)}" if run.kind in KINDS else "Examined without a run"
    about = [line.text for line in run.header if line.kind in ("platform", "rootdir", "configfile", "asyncio")][:4]
    meta = "".join(f"<span>{escape(shorten(words, 200))}</span>" for words in (read, *about))
    return f'<header><h1>Failure analysis</h1><div class="meta">{meta}</div><ul class="totals">{items}</ul></header>'


def _summary(analysis: Analysis) -> str:
    lines = (
        f"<li>{f'<strong>{escape(lead)}</strong> ' if lead else ''}{_prose(rest)}</li>"
        for lead, rest in summary(analysis)
    )
    return f'<ol class="summary">{"".join(lines)}</ol>'


def _plan(analysis: Analysis) -> str:
    if not analysis.plan:
        return ""
    rows = [
        f'<tr><td data-head="Step">{number}</td><td>{_prose(step.action)}</td><td data-head="Unblocks">{step.unblocks}</td>'
        f'<td data-head="Effort">{effort(step.effort)}</td><td data-head="Cause"><a href="#{step.cause}">{step.cause}</a></td></tr>'
        for number, step in enumerate(analysis.plan[:_STEPS], 1)
    ]
    heads = "".join(f'<th scope="col">{word}</th>' for word in ("Step", "Do", "Unblocks", "Effort", "Cause"))
    rest = len(analysis.plan) - _STEPS
    more = f'<p class="soft">{many(rest, "smaller step", "smaller steps")} not shown.</p>' if rest > 0 else ""
    return f"<h2>Plan</h2><table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{more}"


def _causes(analysis: Analysis) -> str:
    if not analysis.causes:
        return ""
    view = View.of(analysis)
    made = [_cause(view, number, cause) for number, cause in enumerate(analysis.causes[:_CAUSES], 1)]
    rest = analysis.causes[_CAUSES:]
    more = f"{many(len(rest), 'more cause', 'more causes')} ({entries(sum(one.blocks for one in rest))}) not shown."
    return f'<h2 id="causes">Causes</h2>{"".join(made)}' + (f'<p class="soft">{more}</p>' if rest else "")


def _cause(view: View, number: int, cause: Cause) -> str:
    follows = f"<span>{cause.downstream} of them only follow</span>" if cause.downstream else ""
    meta = (
        f'<div class="meta"><span class="certainty {cause.certainty}">{cause.certainty}</span><span>{TITLES[cause.category]}</span>'
        f"<span>{entries(cause.blocks)}</span>{follows}<span>{escape(cause.owner)}</span></div>"
    )
    evidence = "".join(_fact(view, cause, fact) for fact in cause.facts)
    parts = [
        f'<article id="{cause.id}" aria-labelledby="{cause.id}-title"><h3 id="{cause.id}-title">{number}. {_prose(cause.statement)}</h3>{meta}',
        f'<h4>Evidence</h4><ul class="evidence">{evidence}</ul>' if evidence else "",
        _affected(affected(cause)),
        _whys(view, cause),
        f"<h4>Against it</h4><p>{_prose(' '.join(cause.counter))}</p>" if cause.counter else "",
        f"<h4>Fix</h4><p>{_prose(cause.fix)}</p>",
        f"<h4>Check</h4><pre>{escape(cause.verify)}</pre>" if cause.verify else "",
        "</article>",
    ]
    return "".join(parts)


def _fact(view: View, cause: Cause, fact: Fact) -> str:
    """One line of evidence. A fact may speak for two causes, and an id must be on the page once, so it begins with the cause's."""
    where = escape(place(fact, view.run))
    return (
        f'<li id="{cause.id}-{fact.id}"><span class="where">{fact.id} · {where}</span>'
        f"<code>{escape(fact.excerpt)}</code></li>"
    )


def _affected(names: Sequence[str]) -> str:
    if not names:
        return ""
    items = [f"<li><code>{escape(shorten(name, 300))}</code></li>" for name in names[:_MOST]]
    if rest := len(names) - _MOST:
        items += [f"<li>and {rest:,} more</li>"] if rest > 0 else []
    first, folded = "".join(items[:_SHOWN]), "".join(items[_SHOWN:])
    more = (
        f"<details><summary>{many(len(names) - _SHOWN, 'more test', 'more tests')}</summary><ul>{folded}</ul></details>"
        if folded
        else ""
    )
    return f"<h4>Affected</h4><ul>{first}</ul>{more}"


def _whys(view: View, cause: Cause) -> str:
    shown = frozenset(fact.id for fact in cause.facts)
    steps = "".join(f"<li>{_why(view, cause, why, shown)}</li>" for why in cause.whys)
    return f"<h4>Why</h4><ol>{steps}</ol>" if steps else ""


def _why(view: View, cause: Cause, why: Why, shown: frozenset[str]) -> str:
    cited = []
    for fact in view.cited(why)[:3]:
        words = escape(place(fact, view.run))
        cited.append(f'<a href="#{cause.id}-{fact.id}">{words}</a>' if fact.id in shown else words)
    rests = ", ".join(dict.fromkeys(cited))
    assumed = '<span class="assumed">assumed, rests on</span> ' if why.assumed else ""
    return f'{_prose(why.statement)} <span class="where">({assumed}{rests})</span>'


def _packages(analysis: Analysis) -> str:
    made = [f"<b>{escape(who)}</b>: cause {which} ({entries(blocks)})" for who, which, blocks in packages(analysis)]
    return _list("Who takes what", made)


def _metrics(analysis: Analysis) -> str:
    made = [
        f"{escape(one.name)}: {one.now} now, {one.goal} wanted (<code>{escape(one.command)}</code>)"
        for one in analysis.metrics
    ]
    return _list("Done when", made)


def _list(title: str, items: Sequence[str]) -> str:
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>" if items else ""


def _prose(sentence: str) -> str:
    return "".join(f"<code>{escape(words)}</code>" if is_code else escape(words) for words, is_code in spans(sentence))
