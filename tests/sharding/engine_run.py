"""The command line with small parts, whatever the machine: `python -m tests.sharding.engine_run analyze …`."""

import analyzer.analysis
import analyzer.judging
import analyzer.ownership
import analyzer.run
from analyzer.__main__ import main
from analyzer.logs import PartSize, plan_log

SIZE = PartSize(records=300, text_bytes=12_000)


def shrink():
    """Make many parts of small logs, and all of them worth sharing."""
    analyzer.run.MANY_BYTES = 0
    analyzer.analysis.WORTH_SHARING = 0
    analyzer.analysis.plan_log = lambda path, options: plan_log(path, options, SIZE)
    analyzer.judging.PART_RECORDS = SIZE.records
    analyzer.ownership.LEAST_OWNED = 1


if __name__ == "__main__":
    shrink()
    main()
