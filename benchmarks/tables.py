"""The figures of `docs/performance.md`, written from what the benchmarks printed, between two marks."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.kit.figures import kept_up
from benchmarks.kit.machine import QUIET

__all__ = ["figures", "put"]

OWN_LOAD = frozenset({"fleet", "retention"})  # where the load stands beside the figures
BEGIN, END = "<!-- figures: written by python -m benchmarks.picture -->", "<!-- end of figures -->"


def put(page: str, found: Mapping[str, Any]) -> str:
    """The page with new figures. Raises `ValueError` when the marks are not in it."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{figures(found)}\n{END}{after}"


def figures(found: Mapping[str, Any]) -> str:
    """Every table there is a result for."""
    parts = (_machine(found), _push(found), _others(found), _fleet(found))
    return "\n".join(line for part in parts for line in part)


def _machine(found: Mapping[str, Any]) -> Iterator[str]:
    facts = found["push"]["machine"]
    load = max(one["machine"]["load"] for name, one in found.items() if name not in OWN_LOAD)
    yield f"{facts['processor']}, {facts['cores']} cores, Linux {facts['kernel']}, Python {facts['python']}, {facts['when'][:10]}."
    if load > QUIET:
        yield f"**The machine was not quiet (load average {load}): these figures are provisional.**"
    yield ""


def _push(found: Mapping[str, Any]) -> Iterator[str]:
    push = found["push"]
    own = push["figures"].get("quintet")
    for number, rate in enumerate(push["rates"]):
        pace = f"{rate:,.0f} events/s" if rate else "as fast as it goes"
        yield f"**Push**, {push['users']:,} sockets, {pace}:"
        yield ""
        yield "| | durable | CPU µs an event | of it Redis | against Quintet | events/s | p50 ms | p99 ms |"
        yield "|---|---|---|---|---|---|---|---|"
        for name, all_rates in push["figures"].items():
            one = all_rates[number]
            durable = "yes" if name in push["durable"] else "no"
            redis = "–" if one["redis_us"] is None else f"{one['redis_us']:.1f}"
            ratio = f"{one['cpu_us'] / own[number]['cpu_us']:.1f}×" if own else "–"
            times = f"{one['p50_us'] / 1000:,.1f} | {one['p99_us'] / 1000:,.1f}"
            pace_of = f"{one['per_second']:,.0f}" + ("" if kept_up(one["per_second"], rate) else " (behind)")
            cells = f"{one['cpu_us']:.1f} | {redis} | {ratio} | {pace_of} | {times}"
            yield f"| {push['titles'][name]} | {durable} | {cells} |"
        yield ""
    for name, why in push["left_out"].items():
        yield f"{push['titles'][name]} is left out: {why}."


def _others(found: Mapping[str, Any]) -> Iterator[str]:
    rows = [line for name, tell in _ROWS.items() if name in found for line in tell(found[name])]
    if rows:
        yield from ("| Quintet | measured |", "|---|---|", *rows, "")


def _fleet(found: Mapping[str, Any]) -> Iterator[str]:
    if "fleet" not in found:
        return
    fleet = found["fleet"]
    titles, load = fleet["titles"], fleet["machine"]["load"]
    yield f"**Beyond one process**, {fleet['users']:,} sockets, all in one run (load average before it: {load}):"
    if load > QUIET:
        yield "**the machine was not quiet, so these are provisional; compare them with each other only.**"
    yield ""
    yield "| | load | CPU µs an event | of it gateways | of it database | events/s | p50 ms | p99 ms |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, rate in enumerate(fleet["rates"]):
        for name, all_rates in fleet["figures"].items():
            yield f"| {titles[name]} | {f'{rate:,.0f} a second' if rate else 'all it can'} | {_told(all_rates[number], rate)} |"
    yield ""
    yield "| whole runs of ten events | runs/s | CPU µs a run | of it gateways | of it database | p50 ms | p99 ms |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in fleet["runs"].items():
        cells = " | ".join(f"{value:,.0f}" for key, value in one.items() if key != "failed")
        yield f"| {titles[name]} | {cells} |"
    yield ""
    columns = "sockets | CPU µs an event | of it gateways | of it database | events/s | p50 ms | p99 ms | MB"
    yield f"| {fleet['each']:g} events a second to each socket | {columns} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, by_sockets in fleet["growing"].items():
        for sockets, one in by_sockets.items():
            yield f"| {titles[name]} | {int(sockets):,} | {_told(one, 0)} | {one['mb']:,.0f} |"
    yield ""


def _told(one: Mapping[str, Any], rate: float) -> str:
    beside, keeper = ("–" if one[key] is None else f"{one[key]:,.1f}" for key in ("beside_us", "keeper_us"))
    pace = f"{one['per_second']:,.0f}" + ("" if kept_up(one["per_second"], rate) else " (behind)")
    return f"{one['cpu_us']:,.1f} | {beside} | {keeper} | {pace} | {one['p50_us'] / 1000:,.1f} | {one['p99_us'] / 1000:,.1f}"


def _latency(one: Mapping[str, Any]) -> Iterator[str]:
    ms = one["ms"]
    yield f"| emit to arrival at {one['rate']:,.0f} events/s, durable | p50 {ms['p50']:.2f} ms, p99 {ms['p99']:.2f} ms |"


def _runs(one: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"| whole runs of ten events, server on one core | {one['per_second']:,.0f} a second,"
        f" {one['cpu_us']:,.0f} µs of CPU each ({one['per_cpu_second']:,.0f} for a whole core) |"
    )


def _idle(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"| memory of an idle connection, {one['connections']:,} of them | {one['kb_pss']:.1f} KB |"


def _replay(one: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"| replay to {one['users']:,} reconnecting users, {one['each']} events each |"
        f" {one['per_second']:,.0f} events/s ({one['with_handshakes']:,.0f} with the handshakes) |"
    )


def _startup(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"| start to listening, embedded, warm | {one['seconds']:.2f} s |"


_ROWS = {"latency": _latency, "runs": _runs, "idle": _idle, "replay": _replay, "startup": _startup}
