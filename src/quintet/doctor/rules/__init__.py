"""All rules, a module for each family, in the order of their numbers."""

from ..findings import Rule
from . import (
    asynchronous,
    collection,
    dependencies,
    environment,
    files,
    folders,
    imports,
    markers,
    options,
    ours,
    services,
)

__all__ = ["RULES"]

_FAMILIES = (
    files,
    folders,
    markers,
    options,
    asynchronous,
    environment,
    services,
    imports,
    dependencies,
    collection,
    ours,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule for family in _FAMILIES for rule in family.RULES),
        key=lambda rule: rule.number,
    )
)
