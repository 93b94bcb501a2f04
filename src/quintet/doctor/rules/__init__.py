"""All rules, a module for each family, in the order of their numbers."""

from ..findings import Rule
from . import files, folders, markers, options

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (rule for family in (files, folders, markers, options) for rule in family.RULES),
        key=lambda rule: rule.number,
    )
)
