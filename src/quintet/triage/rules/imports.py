"""What could not be imported. Special before general.

Python names `a.b` as missing only when it has found `a`: then `a` is installed or there, and only its part is gone.
"""

import sys

from quintet.triage.signatures import Rule, row

_GONE = "ImportError ModuleNotFoundError"
_OF_PYTHON = "|".join(sorted(name for name in sys.stdlib_module_names if not name.startswith("_")))

RULES: tuple[Rule, ...] = (
    row(
        "import-file-mismatch",
        "imports",
        r"^(?:\w+: )?import file mismatch",
        "Test modules of the same name hide each other.",
        "pytest says so: it found a module of this name that was imported from another file.",
        "Folders without `__init__.py` hold test files of the same name, or an old `__pycache__` of a moved file was left behind.",
        "Give the test folders packages of different names (`__init__.py` in each), or set `--import-mode=importlib`, or rename one file; "
        "remove old `__pycache__` folders.",
        "pytest --collect-only -q",
        phases=("collect", "session"),
        exceptions="ImportPathMismatchError ImportMismatchError",
        proven=True,
    ),
    row(
        "same-conftest",
        "imports",
        r"^ImportPathMismatchError: \('(?P<subject>[\w.]{1,120})'",
        "Two files want to be the module {subject}: the first was imported, and the second is another file of the same name.",
        "pytest compared the path of the module that it had imported with that of the file, and they differ.",
        "Several folders have a package of the same name (`tests/__init__.py` in each, with a conftest.py), and this run "
        "collects more than one of them; "
        "or an installed copy of the tests comes first.",
        "Run each project's tests by itself, or set `--import-mode=importlib`, or take the `__init__.py` out of these "
        "folders (or give them different "
        "names).",
        "pytest --collect-only -q",
        exceptions="ImportPathMismatchError",
    ),
    row(
        "same-basename",
        "imports",
        r"No module named '(?:tests?|app|src)\.(?P<subject>test_\w+)'",
        "Test modules of the same name hide each other.",
        "The first module imported under a name is used for all others of that name.",
        "Folders without `__init__.py` (or several packages of one name) are collected in one run.",
        "Give the test folders packages of different names, or set `--import-mode=importlib`, or run each project's "
        "tests from its own folder.",
        "pytest --collect-only -q",
        phases=("collect", "session"),
        exceptions="ModuleNotFoundError ImportPathMismatchError ImportMismatchError",
    ),
    row(
        "circular",
        "imports",
        r"partially initialized module '(?P<subject>[\w.]+)'|most likely due to a circular import",
        "Two modules import each other ({subject} is one of them).",
        "Python says that the module was still being imported when a name was taken from it.",
        "Each needs the other while it is imported.",
        "Move what both need to a third module, or import inside the function that needs it.",
        "pytest {test}",
        exceptions=_GONE + " AttributeError",
    ),
    row(
        "hides-python",
        "imports",
        rf"cannot import name '\w+' from '(?P<subject>{_OF_PYTHON})(?:\.\w+)*' "
        r"\((?![^)\n]*(?:lib[/\\]+python3|[/\\]Lib[/\\]|(?:site|dist)-packages))[^)\n]+\.py\)"
        rf"|module '(?P<subject_b>{_OF_PYTHON})' has no attribute '\w+' \(consider renaming",
        "A file of the project hides Python's own module {subject}: whatever imports that, libraries too, gets the file.",
        "The message names the file from which the module came, and it is none of Python's.",
        "A folder of the project's package stands on the import path itself (`pythonpath`, `PYTHONPATH`, a script started inside of it), and "
        "a file in it has the name of a module of Python.",
        "Put the folder above the package on the path, not the package's own; or rename the file.",
        'python -c "import {subject}; print({subject}.__file__)"',
        exceptions=_GONE + " AttributeError",
    ),
    row(
        "not-a-package",
        "imports",
        r"No module named '[\w.]+'; '(?P<subject>[\w.]+)' is not a package",
        "What is imported as {subject} is not the package of that name, but something that stands in its place.",
        "Python found a module of this name where a package was meant.",
        "A script or test file has the name of the package; or a test module has put a mock into `sys.modules` while it was imported, and left "
        "it there for all others.",
        "Rename the file, or remove it from the import path; put no mocks into `sys.modules` at a module's top level (patch the name where it is "
        "used, or `monkeypatch.setitem(sys.modules, …)` in a fixture).",
        'python -c "import {subject}; print({subject}.__file__)"',
        exceptions=_GONE,
    ),
    row(
        "relative-import",
        "imports",
        r"attempted relative import (?:with no known parent package|beyond top-level package)",
        "A relative import has no package to start from.",
        "Python imported the file as a module of its own, not as part of a package.",
        "The folder has no `__init__.py`, or pytest was started so that the folder is not seen as a package.",
        "Add `__init__.py` to the folder, or import by the full name with `pythonpath` set.",
        "pytest --collect-only -q",
        exceptions=_GONE,
    ),
    row(
        "hidden-by-folder",
        "imports",
        r"cannot import name '(?P<subject>\w+)' from '[\w.]+' \(unknown location\)",
        "A folder without `__init__.py` is imported where the package that has {subject} is meant.",
        "Python found only a folder of that name: it shows no file for it.",
        "The folder lies earlier on the import path than the package, or its `__init__.py` is missing.",
        "Add `__init__.py`, rename the folder, or start pytest where the package comes first on the path.",
        exceptions=_GONE,
        together=False,
    ),
    row(
        "name-of-python",
        "environment",
        r"cannot import name '(?P<subject>\w+)' from '[\w.]+' \((?![^)\n]*(?:site|dist)-packages)[^)\n]*(?:lib[/\\]+python3"
        r"|Python3?\d*[/\\]+lib)"
        r"[^)\n]*\)|No module named '(?P<subject_b>tomllib|imp|distutils|asyncore|asynchat|smtpd|cgi|cgitb|crypt|telnetlib"
        r"|pipes|nntplib|imghdr|"
        r"sndhdr|audioop|lib2to3)'",
        "The Python that runs the tests has no {subject} in its own library: it is another version than the code is written for.",
        "The import asks a module of Python itself, and this version does not have the name.",
        "The interpreter is older (or newer) than the version that the project needs (`requires-python`).",
        "Run the tests with the Python version that the project names, or import {subject} from the package that brings "
        "it to this version.",
        "python --version",
        exceptions=_GONE,
        raised_in=("test", "product", "library", "stdlib"),
        context=("platform",),
    ),
    row(
        "name-gone-library",
        "imports",
        r"cannot import name '(?P<subject>\w+)' from '[\w.]+' \([^)\n]*(?:(?:site|dist)-packages|lib[/\\]+python3)",
        "The installed library does not offer the name {subject}.",
        "The library itself was found and imported; the name is not in it.",
        "The name never was there, or moved with another version of the library (or of Python); or it is this project "
        "itself, installed earlier.",
        "Look the name up in the installed version, and import what it offers. If it is the project's own package, install the checkout: "
        "`pip install -e .`.",
        exceptions=_GONE,
        raised_in=("test", "product", "library"),
        together=False,
    ),
    row(
        "name-moved",
        "dependencies",
        r"[`'](?P<subject>[\w.:]+)[`'] has been (?:moved|removed|deprecated)\b|(?:was|has been) removed in "
        r"(?:version |v)?\d[\w.]*",
        "The installed version of a library no longer offers {subject}: it says that it was moved or removed.",
        "The library itself says so.",
        "The library was upgraded past the version this code was written for.",
        "Follow the library's own advice in the message, or pin the version the code was written for.",
        exceptions=_GONE
        + " PydanticImportError PydanticUserError AttributeError NotImplementedError RuntimeError APIRemovedInV1 TypeError",
        raised_in=("library",),
        strict=True,
        together=False,
    ),
    row(
        "name-gone",
        "drift",
        r"cannot import name '(?P<subject>\w+)' from|cannot import name '?(?P<subject_b>\w+)'?",
        "{subject} is imported from a module that no longer (or not yet) has it.",
        "The module was found and imported; the name is not in it.",
        "It was renamed or moved and this import was left behind.",
        "Find where the name went (`git log -S`), and follow it.",
        "pytest {test}",
        exceptions=_GONE,
        raised_in=("test", "product"),
        together=False,
    ),
    row(
        "patch-target",
        "drift",
        r"^ModuleNotFoundError: No module named '(?P<subject>[\w.]+)'",
        "A patch names a target that does not exist ({subject}).",
        "The name was looked up by `patch`, not by an import of the project.",
        "The patched name is misspelt or has moved.",
        "Patch the name where the code under test looks it up.",
        exceptions="ModuleNotFoundError",
        raised_in=("mock", "stdlib"),
        phases=("call", "setup"),
        code=r"__import__|import_module|_importer|resolve_name|getter\(\)|_get_target|patch",
        passed=r"(?i)mock|monkeypatch|pkgutil",  # code that loads what it is told to imports by name as well
    ),
    row(
        "own-module-missing",
        "imports",
        r"No module named '(?P<subject>\w+\.\w[\w.]*)'",
        "The module {subject} cannot be found, though the package around it was.",
        "Python found the package and nothing of this name in it.",
        "The module was moved, renamed or never added, or another package of the same name comes first on the path.",
        "Correct the import, or restore the module; set `pythonpath` if another folder is meant.",
        "pytest {test}",
        exceptions=_GONE,
        together=False,
    ),
    row(
        "own-package-missing",
        "imports",
        r"No module named '(?P<subject>\w+)'",
        "The project's own module {subject} is not on the import path of this run.",
        "Python looked for {subject} on its whole import path and found nothing; no package that is widely known has "
        "this name.",
        "pytest was started in another folder than the imports assume, or the project is not installed.",
        "Set `pythonpath` in pytest's configuration to the folder that holds {subject} (or install the project with "
        "`pip install -e .`); if it is a package of somebody else, install it.",
        "pytest {test}",
        context=("configfile",),
        exceptions=_GONE,
        guess=True,
        together=False,
    ),
    row(
        "merge-conflict",
        "imports",
        r"^(?:SyntaxError|IndentationError): [\s\S]{0,400}?(?:File \"(?P<subject>[^\"\n]{1,200})\"[\s\S]{0,200}?)?(?:<{7} \S|={7}\s|>{7} \S)",
        "A merge conflict was left in {subject}: its marks are no Python.",
        "Python shows the line that it cannot read, and it is a mark of the merge (`<<<<<<<`, `=======`, `>>>>>>>`).",
        "The file was committed before the conflict was resolved.",
        "Resolve the conflict in that file: keep one side (or join both), and take all three marks out; let CI refuse them (`git diff --check`).",
        "git diff --check",
        exceptions="SyntaxError IndentationError",
    ),
    row(
        "syntax",
        "imports",
        r"^(?P<subject>SyntaxError|IndentationError|TabError): ",
        "A module cannot be compiled ({subject}).",
        "Python refused the source before running any of it.",
        "The file was left in a broken state (a merge mark counts), or needs another Python version.",
        "Correct the line that the message shows.",
        exceptions="SyntaxError IndentationError TabError",
        phases=("collect", "session"),
        proven=True,
        together=False,
    ),
    row(
        "conftest",
        "imports",
        r"while loading (?:conftest|plugin) ['\"](?P<subject>[^'\"\n]{1,160})['\"]",
        "{subject} cannot be imported, so no test ran.",
        "pytest imports it before anything else.",
        "Something that it imports is missing, or its code fails here.",
        "Repair what the traceback below this line shows.",
        "pytest --collect-only -q",
        exceptions="ConftestImportFailure",
        phases=("session",),
        general=True,
    ),
)
