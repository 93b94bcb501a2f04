"""Small projects to examine, and a Python of their own that has pytest and little else, so that an examination takes a second."""

import shutil
import sys
import sysconfig
import venv
from collections.abc import Callable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from textwrap import dedent

from quintet.doctor import Examination

__all__ = ["PYTEST", "Examine", "Make", "Pythons", "environment", "pretend", "write"]

Make = Callable[[Mapping[str, str]], Path]
Pythons = Callable[..., Path]
Examine = Callable[..., Examination]

PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "Pygments")


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Writes a project: paths with texts, which may be indented as it reads well in a test."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedent(text).lstrip("\n"))
    return root


def environment(folder: Path, names: tuple[str, ...]) -> Path:
    """An environment that has these distributions, taken from the one that runs."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = folder / "lib" / version / "site-packages"
    source = Path(sysconfig.get_path("purelib"))
    for name in names:
        tops = {Path(file).parts[0] for file in distribution(name).files or () if ".." not in Path(file).parts}
        for top in tops - {"__pycache__"}:
            (target / top).symlink_to(source / top)
    return folder / "bin" / "python"


def pretend(python: Path, name: str, version: str) -> None:
    """Makes a distribution look installed, for rules that go by versions."""
    site = next(python.parent.parent.glob("lib/python3.*/site-packages"))
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
