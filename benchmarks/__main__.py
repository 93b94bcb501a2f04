"""`python -m benchmarks` lists the benchmarks; `python -m benchmarks quick` has a short look at each."""

import importlib
import subprocess
import sys

NAMES = ("push", "latency", "runs", "idle", "replay", "startup", "fleet", "retention")


def main() -> int:
    """List, or run all of them one after another."""
    if sys.argv[1:] == ["quick"]:
        return max(
            subprocess.run(
                [sys.executable, "-m", f"benchmarks.{name}", "--quick"],
                stdout=subprocess.DEVNULL,
                check=False,
                timeout=600,
            ).returncode
            for name in NAMES
        )
    print("python -m benchmarks.peers    once: installs what Quintet is compared with into benchmarks/.peers")
    for name in (*NAMES, "picture"):
        doc = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").partition("\n")[0]
        print(f"python -m benchmarks.{name:<9} {doc}")
    print(
        "python -m benchmarks.triage DIR  how right the failure analyst is, on a folder of runs whose causes are known"
    )
    print("Each takes --quick and --help. With --keep the JSON goes to benchmarks/results, for the picture.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
