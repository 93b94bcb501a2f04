"""Options that every benchmark understands."""

import argparse

__all__ = ["options"]


def options(name: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser with `--quick` and `--keep`."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc)
    parser.add_argument("--quick", action="store_true", help="a short look, some seconds")
    parser.add_argument("--keep", action="store_true", help="write the JSON to benchmarks/results, for the picture")
    return parser
