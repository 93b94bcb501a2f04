"""Start a server in another network: `python tests/fleet/elsewhere.py NAMESPACE -- serve --role worker …`."""

import ctypes
import os
import sys

_NETWORK = 0x40000000  # CLONE_NEWNET


def main() -> None:
    """Enter the network of this name and go on as `quintet`."""
    name, separator, *arguments = sys.argv[1:]
    if separator != "--":
        sys.exit("usage: elsewhere.py NAMESPACE -- serve …")
    place = os.open(f"/run/netns/{name}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(place, _NETWORK):
        sys.exit(f"the network {name} cannot be entered: {os.strerror(ctypes.get_errno())}")
    os.close(place)
    from quintet.cli import main as quintet

    sys.argv = ["quintet", *arguments]
    quintet()


if __name__ == "__main__":
    main()
