"""`python -m benchmarks.peers`: install the peers, pinned, into `benchmarks/.peers/`, which is theirs alone."""

import shutil
import subprocess
import sys

from benchmarks.peers import FOLDER, HERE, NODE


def main() -> None:
    """Make the environments anew; what is missing on this machine is said and left out."""
    FOLDER.mkdir(exist_ok=True)
    python = FOLDER / "python"
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(python)], check=True)
    pip = [str(python / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True, timeout=600)
    if NODE is None or shutil.which("npm") is None:
        print("There is no Node here: Socket.IO is left out.")
    else:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, FOLDER / name)
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, timeout=600)
    if shutil.which("redis-server") is None:
        print("There is no redis-server here: the peers that need one are left out.")
    print(f"The peers are in {FOLDER}")


if __name__ == "__main__":
    main()
