"""`python -m benchmarks.kit.roomy RUNS serve …`: the command as it is, but a worker that holds as many runs at once as asked.

A server leases 64 runs at a time and has no setting for it; a benchmark where each of 1,000 users has a run needs more.
"""

import sys
from functools import partial

from quintet.cli import main
from quintet.engine import Limits
from quintet.server import values

if __name__ == "__main__":
    vars(values)["Limits"] = partial(Limits, runs=int(sys.argv.pop(1)))
    main()
