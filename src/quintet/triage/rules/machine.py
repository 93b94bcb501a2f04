"""The limits of the machine: ports, files, disk, memory, processes."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "address-in-use",
        "resources",
        r"(?=[\s\S]{0,200}?bind on address \('[\w.:]{1,60}', (?P<subject>\d{2,5})|)"
        r"(?:[Aa]ddress already in use|WinError 10048|Errno 98\b|Errno 48\b|only one usage of each socket address)",
        "A port that the tests want is taken: {subject}.",
        "The operating system refused to bind the port.",
        "The port is fixed in the tests, and an earlier run or another worker still holds it.",
        "Bind port 0 and ask which one was given; end what an earlier run left.",
        exceptions="OSError PermissionError SystemExit",
        alone=r"attempting to bind on address|bind.{0,60}in use|port \d+ is (?:already )?in use",
        raised_in=("stdlib", "library", "product", "test"),
    ),
    row(
        "too-many-files",
        "resources",
        r"Too many open files|WinError 10024",
        "The process has more files and sockets open than it may (`ulimit -n`).",
        "The operating system refused to open one more.",
        "Tests or the product keep what they open, or the limit of this machine is low.",
        "Close what is opened (`with`, or a fixture that closes after `yield`); raise the limit with `ulimit -n 4096` to see whether it is "
        "a leak.",
        "ulimit -n",
        exceptions="OSError",
        alone=r"Errno 24\] .{5,60}: '",
        effort=2,
    ),
    row(
        "lock-held",
        "isolation",
        r"(?i)^(?=[^\n]{0,300}?(?P<subject>(?<![\w.])(?:/|[a-z]:\\)[\w./\\-]{2,160})|)(?=[^\n]{0,300}(?:\bpid|lock|/))[^\n]{0,200}?"
        r"(?:(?<!loop is )\balready running|another (?:instance|process|copy)\b[^\n]{0,60}(?:running|hold|us(?:es|ing)|lock)"
        r"|\b(?:pid|lock)[ -]?file\b[^\n]{0,160}(?:exists|held|taken|present)|could not (?:be )?(?:acquire|obtain|lock)"
        r"|(?:already|is) locked\b(?! out))",
        "A lock says that another process is at work ({subject}), so the code under test refuses to begin.",
        "The code found the lock (or the file with the number of a process) and did not take it.",
        "An earlier run, or one that was killed, left the lock behind; or another worker of this run (`-n`) holds it, "
        "since all of them share one path.",
        "Look whether that process is alive; if not, remove the file. Give each test a lock of its own (`tmp_path`), and "
        "have the code look whether the "
        "process that is named still lives.",
        exceptions="RuntimeError Timeout LockError AlreadyLocked LockTimeout SystemExit BlockingIOError FileExistsError OSError",
        others=True,
        raised_in=("product", "library", "stdlib"),
        strict=True,
        together=False,
    ),
    row(
        "process-ended",
        "services",
        r"(?i)\b(?P<subject>[\w.-]{2,40}) (?:process )?(?:has |had )?(?:ended|exited|died|terminated|crashed|quit|stopped)\b"
        r"(?=[^\n]{0,60}\b(?:code|status|with|early|prematurely|unexpectedly|before|immediately|during)\b)[^\n]{0,80}",
        "A process that the tests start ({subject}) ended before it was ready; why, this text does not show.",
        "The fixture looked after the process, and says in these words that it is gone.",
        "The process fails at its own start (a setting, a file, a port, an import): its last words were not kept.",
        "Start it by hand with the same command and environment; and let the fixture put what the process printed (`stderr`) into its message "
        "instead of keeping it in a pipe.",
        exceptions="Failed RuntimeError TimeoutError",
        phases=("setup",),
        raised_in=("test", "product"),
        strict=True,
        guess=True,
        effort=2,
    ),
    row(
        "temporary-folder",
        "environment",
        r"The temporary directory (?P<subject>\S{1,160}) is not owned by the current user|could not create numbered dir with prefix",
        "pytest's own temporary folder {subject} belongs to another user.",
        "pytest looked whose it is, and refuses to use a folder of somebody else.",
        "An earlier run on this machine was made by another user (with `sudo`, or by root in a container that shares `/tmp`).",
        "Remove the folder, or give this run another one (`--basetemp`, `TMPDIR`); run the tests as the same user each time.",
        "ls -ld {subject}",
        exceptions="OSError",
    ),
    row(
        "asks-somebody",
        "environment",
        r"^EOFError: EOF when reading a line|^OSError: pytest: reading from stdin while output is captured",
        "The code asks a question on the terminal, and nobody is there to answer.",
        "`input()` found no line to read: pytest (or CI) gives a program nothing to read from.",
        "A question that is meant for a person (confirm, password, overwrite?) stands in the way of the tests; often it "
        "only comes up because something "
        "was left by an earlier run.",
        "Give what asks the option that answers for it (`--yes`, `--noinput`), or hand the answer in from the test "
        "(`monkeypatch.setattr('builtins.input', "
        "…)`, `input=` of the command's runner).",
        exceptions="EOFError OSError",
        raised_in=("stdlib", "library", "product", "test", "runner"),
    ),
    row(
        "disk-full",
        "resources",
        r"No space left on device|Disk quota exceeded|database or disk is full|not enough space on the disk|WinError 112",
        "There is no room left on the disk that the tests write to.",
        "The operating system refused to write.",
        "The disk (or a small `/tmp`, or a quota) is full, or what is written goes to a device that takes nothing.",
        "Free the disk, or point the tests to a folder with room (`--basetemp`, `TMPDIR`); look at the path that is written to.",
        "df -h",
        exceptions="OSError OperationalError DiskFull",
        alone=r"Errno 28\] .{5,60}: '|database or disk is full",
    ),
    row(
        "machine-limit",
        "resources",
        r"^MemoryError|Unable to allocate [\d.]+ [GM]iB|Cannot allocate "
        r"memory|can't start new thread|"
        r"CUDA out of memory|OutOfMemoryError",
        "The machine ran out of memory or threads.",
        "The operating system refused it.",
        "Tests keep what they take, or the machine is too small for this number of workers.",
        "Let go of what the tests take; lower the number of workers.",
        exceptions="OSError MemoryError RuntimeError OutOfMemoryError _ArrayMemoryError ArrayMemoryError",
        alone=r"CUDA out of memory|Unable to allocate",
        effort=2,
    ),
    row(
        "not-closed",
        "resources",
        r"unclosed (?:<|transport|file|database|event loop|resource|client)|WinError 32\]|being used by another "
        r"process",
        "Something that was opened is not closed, and that is an error here.",
        "Python (or the operating system) still sees it open.",
        "A test, fixture or the product keeps a file, socket or connection open.",
        "Close it where it is opened (`with`, or a fixture that closes after `yield`).",
        exceptions="ResourceWarning PytestUnraisableExceptionWarning PermissionError",
    ),
    row(
        "no-accelerator",
        "resources",
        r"No CUDA GPUs are available|Found no NVIDIA driver|Torch not compiled with CUDA enabled|CUDA driver version "
        r"is insufficient|MPS backend",
        "The tests want a graphics processor and this machine has none.",
        "The library looked for one and found none.",
        "The device is fixed in the code or the tests.",
        "Choose the device at run time, and skip what needs one where it is absent.",
        exceptions="RuntimeError",
        raised_in=("library",),
        strict=True,
    ),
    row(
        "worker-crashed",
        "resources",
        r"^worker '?(?P<subject>gw\d+)'? crashed while running",
        "A worker process of the test run died ({subject}).",
        "xdist says so, and names the test that the worker was running.",
        "`os._exit`, native code or a lack of memory ended it; the named test is the first suspect.",
        "Run the named test alone with `-p no:xdist -X faulthandler`, and take out what ends the process.",
        "python -X faulthandler -m pytest -p no:xdist {test}",
        phases=("session", "call", "setup"),
        exceptions="",
        proven=True,
        effort=3,
    ),
    row(
        "crash",
        "resources",
        r"worker '?(?P<subject>gw\d+)'? crashed while running|Fatal Python error: (?P<subject_b>[^\n]{1,80})"
        r"|(?P<subject_c>Segmentation fault)"
        r"|^Killed$|^CrashError: (?!Fatal|Segm)",
        "A test process died ({subject}).",
        "It ended without a Python exception.",
        "Native code (an extension module, `ctypes`), `os._exit` or a lack of memory ended it.",
        "Run the named test alone with `-p no:xdist -X faulthandler`: its stack shows the last Python line before the end.",
        "python -X faulthandler -m pytest -p no:xdist {test}",
        phases=("session", "call", "setup"),
        exceptions="CrashError",
        others=True,
        effort=3,
    ),
)
