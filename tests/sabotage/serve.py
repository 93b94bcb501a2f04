"""Start a server with one planted defect: `python tests/sabotage/serve.py NAME -- serve --dev …`.

The product has no switch for this: the defect is patched in here, then the ordinary entry is called.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    """Plant the defect of this name and go on as `quintet`."""
    from quintet.cli import main as quintet
    from sabotage.defects import DEFECTS

    name, separator, *arguments = sys.argv[1:]
    if separator != "--" or name not in DEFECTS:
        sys.exit(f"usage: serve.py NAME -- serve …   with NAME one of: {', '.join(sorted(DEFECTS))}")
    DEFECTS[name]()
    sys.argv = ["quintet", *arguments]
    quintet()


if __name__ == "__main__":
    main()
