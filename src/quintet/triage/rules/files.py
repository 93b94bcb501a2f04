"""Files: not there, not to be made, not permitted; and those that hold something else than the code expects."""

from quintet.triage.signatures import Rule, row

# In a folder that was made for one test alone there is what this test and the code that it calls put there, and nothing of another.
NOT_OF_ONE_TEST = r"(?![^\n]{0,300}?(?:[/\\]pytest-\d+[/\\](?:popen-gw\d+[/\\])?test_|[/\\]tmp\w{8}[/\\]))"

RULES: tuple[Rule, ...] = (
    row(
        "lfs-pointer",
        "environment",
        r"git-lfs|invalid load key, 'v'|could not convert string to float: 'version'|\boid sha256:",
        "A data file is only a pointer of Git LFS here: its real content was not fetched.",
        "What was read is the first word of such a pointer (`version https://git-lfs…`), not data.",
        "The checkout was made without Git LFS (not installed, or `lfs: true` missing in CI's checkout step), or the LFS quota was used up.",
        "Fetch the files before the tests (`git lfs install && git lfs pull`; `lfs: true` in the checkout step), here and in CI.",
        "git lfs ls-files",
        exceptions="ValueError UnpicklingError ParserError JSONDecodeError UnidentifiedImageError",
        raised_in=("product", "test", "library", "stdlib"),
    ),
    row(
        "byte-order-mark",
        "environment",
        r"Unexpected UTF-8 BOM|^KeyError: ['\"](?:\\ufeff|\ufeff|ï»¿)|\\ufeff",
        "The file begins with a byte order mark, which the code reads as part of its text.",
        "The reader stopped at (or shows) the mark U+FEFF.",
        "An editor or a spreadsheet on Windows saved the file as UTF-8 with a mark.",
        'Save the file without the mark; where files come from others, open them with `encoding="utf-8-sig"`, which takes both.',
        exceptions="JSONDecodeError KeyError ValueError UnicodeDecodeError",
        raised_in=("stdlib", "library", "product", "test"),
    ),
    row(
        "checkout-without-history",
        "environment",
        r"Command '\[?['\"]?(?:\S{0,60}/)?git(?:\.exe)?['\"]?,? ['\"]?(?P<subject>describe|rev-parse|rev-list|log|diff|merge-base|show|tag)\b"
        r"[\s\S]{0,200}?exit status (?:128|129)|fatal: No names found|no tags (?:found|can be found)|unable to detect version"
        r"|detected dubious ownership in repository",
        "Git could not answer {subject}: this checkout lacks the tags or the history that the code asks for, or is no repository of this user.",
        "Git itself ended with an error; its own words, if the text has them, stand beside the failure.",
        "CI fetches one commit without tags (a shallow checkout); or the tests run in a copy without `.git`, or in a folder of another user.",
        "Fetch the whole history with its tags (`fetch-depth: 0`, `git fetch --tags --unshallow`); for a folder of another user "
        "`git config --global --add safe.directory …`; and let the tests make a repository of their own in `tmp_path`.",
        "git describe --tags",
        exceptions="CalledProcessError LookupError GitCommandError InvalidGitRepositoryError AssertionError",
        raised_in=("stdlib", "library"),
    ),
    row(
        "configuration-lacks",
        "environment",
        r"^KeyError: ['\"](?P<subject>[\w.-]{2,60})['\"]$",
        "The configuration that this run reads has no {subject}.",
        "The code that reads the configuration asked for the entry and did not find it.",
        "The file (or layer) that is read for the tests lacks an entry that others have, or the entry was renamed.",
        "Compare the file that the tests read with the one that has {subject}; add the entry there, or give the code a default.",
        exceptions="KeyError",
        # a constant of the module itself is no configuration that is read
        code=r"(?ms)\A(?!.*?\b(?!\w*(?:CONF|SETTING|ENV|OPTION|DATA|VALUES|LAYER|LOADED))[A-Z][A-Z0-9_]+\[)"
        r".*?^product:(?:[^\n]*[/\\])?(?:\w*_)?(?:conf|config|configuration|settings)(?:_\w+)?\.py$",
        raised_in=("product",),
        strict=True,
        guess=True,
        together=False,
    ),
    row(
        "cannot-be-made",
        "environment",
        r"^(?:FileNotFoundError|NotADirectoryError|OSError): "
        + NOT_OF_ONE_TEST
        + r"\[Errno (?:2|20|30)\] [^\n]*?['\"](?P<subject>[^'\"\n]{1,160})['\"]",
        "{subject} cannot be made here: the folder above it is not there, or takes nothing.",
        "The line that fails makes a folder (or a file to write to), and the operating system has no place for it.",
        "The path is a default (or meant for another machine): nothing gives the tests one of their own; or the file system is read-only.",
        "Give the tests a path of their own (`tmp_path`, a variable set before the code reads it), and make the folders above it "
        "(`parents=True`).",
        "ls -ld {subject}",
        exceptions="FileNotFoundError NotADirectoryError OSError",
        code=r"makedirs\(|\.?mkdir\(|\bopen\([^\n]*['\"][wax]b?t?\+?['\"]|write_(?:text|bytes)\(|\.touch\(",
        raised_in=("stdlib", "product", "library"),
        strict=True,
        together=False,
    ),
    row(
        "file-not-there",
        "environment",
        r"^FileNotFoundError: " + NOT_OF_ONE_TEST + r"(?:.*?['\"](?P<subject>/[^'\"\n]{1,160}|[^'\"\n]{1,160}\.\w{1,8}|"
        r"(?:[\w.-]+/)*\.env[\w.]*)['\"]|\[Errno 2\] No such file or directory$)",
        "The file {subject} is not where this run looks for it.",
        "Opening it failed.",
        "The file is not part of the checkout; or the path is relative, and the directory is another: pytest was started elsewhere, or an "
        "earlier test went into another one (`os.chdir`) and did not come back.",
        "Build the path from `__file__`, or give the tests their own copy of the file; let tests change the directory with "
        "`monkeypatch.chdir` only, which goes back.",
        "ls -l {subject}",
        exceptions="FileNotFoundError",
        raised_in=("product", "test", "stdlib", "library"),
        together=False,
        names=r"['\"](?P<subject>[\w./-]{1,80}\.\w{1,8})['\"]",
    ),
    row(
        "not-permitted",
        "environment",
        r"^PermissionError: \[(?:Errno (?:1|13)|WinError 5)\] .*?['\"](?P<subject>/[^'\"\n]{1,160}|"
        r"[A-Z]:[^'\"\n]{1,160})['\"]",
        "This user may not write or read {subject}.",
        "The operating system refused it.",
        "The path belongs to another user, or is meant for another machine.",
        "Let the tests use a folder of their own (`tmp_path`), and make the path a setting.",
        exceptions="PermissionError",
        raised_in=("stdlib", "product", "test", "library"),
        together=False,
    ),
)
