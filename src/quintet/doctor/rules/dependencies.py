"""Installed versions that are known not to work together: D28. Every pair was seen to fail in a clean environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ..case import Case
from ..findings import Finding, Rule, rule
from ..syntax import imported, test_files

__all__ = ["RULES"]


@rule("D28", "C", "Installed versions that do not work together", fix="Change one of the two versions.")
def broken_pair(case: Case, this: Rule) -> Iterator[Finding]:
    yield from _passlib(case, this)
    yield from _client_app(case, this)


def _passlib(case: Case, this: Rule) -> Iterator[Finding]:
    """Passlib 1.7.4 tests bcrypt with a password of over 72 bytes, which bcrypt 5 refuses (pyca/bcrypt 1079, 1082)."""
    bcrypt, passlib = case.python.version("bcrypt"), case.python.version("passlib")
    if not bcrypt or not passlib or bcrypt < (5,) or passlib > (1, 7, 4):
        return
    use = _use(case, "passlib", "bcrypt")
    have = case.python.distributions
    pair = f"passlib {have['passlib']} cannot hash with bcrypt {have['bcrypt']}"
    statement = f'{pair}: every hash fails with "password cannot be longer than 72 bytes".'
    if use:
        yield this.certain(statement, use, fix="Install bcrypt<5, or hash with bcrypt or argon2-cffi directly.")


def _use(case: Case, package: str, word: str) -> Path | None:
    for file in case.tree.modules:
        module = case.tree.module(file)
        if module and package in imported(module) and word in (case.tree.text(file) or ""):
            return file
    return None


def _client_app(case: Case, this: Rule) -> Iterator[Finding]:
    """Httpx 0.28 removed `app=`."""
    version = case.python.version("httpx")
    if not version or version < (0, 28):
        return
    for file, module in test_files(case.tree):
        for node in ast.walk(module) if "httpx" in imported(module) else ():
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if (
                isinstance(node, ast.Call)
                and name.rpartition(".")[2] == "AsyncClient"
                and any(word.arg == "app" for word in node.keywords)
            ):
                have = case.python.distributions["httpx"]
                statement = f"httpx {have} has no AsyncClient(app=…)."
                yield this.suspect(
                    statement, file, node.lineno, fix="Write AsyncClient(transport=ASGITransport(app=app), base_url=…)."
                )
                return


RULES = (broken_pair,)
