"""The limits of the machine: ports, files, disk, memory, processes."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "address-in-use",
        "resources",
        r"[Aa]ddress already in use|WinError 10048|Errno 98\b|Errno 48\b|only one usage of each socket address",
        "A port that the tests want is taken.",
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
        "crash",
        "resources",
        r"worker '?(?P<subject>gw\d+)'? crashed while running|Fatal Python error: |Segmentation fault|^Killed$"
        r"|CrashError",
        "A test process died.",
        "It ended without a Python exception.",
        "Native code, `os._exit` or a lack of memory ended it.",
        "Run the named test alone with `-p no:xdist -X faulthandler`.",
        "python -X faulthandler -m pytest -p no:xdist {test}",
        phases=("session", "call", "setup"),
        effort=3,
    ),
)
