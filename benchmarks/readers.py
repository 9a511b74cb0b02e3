"""`python -m benchmarks.readers`: each reader against the library that people would use.

Every case makes a file of points, reads it with both, compares how many fixes they see,
and prints the ratio of the medians of three rounds with its target.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from analyzer.logs import ReadOptions, read_log

POINTS = 100_000
ROUNDS = 3
Count = Callable[[Path], int]


def ours(path: Path) -> int:
    """Return how many records zonelog reads."""
    return read_log(str(path), ReadOptions()).records.height


def gpx(folder: Path) -> tuple[Path, Count, float]:
    """GPX 1.1 with speeds in TrackPointExtension, against gpxpy."""
    import gpxpy

    def theirs(path: Path) -> int:
        with path.open(encoding="utf-8") as file:
            return gpxpy.parse(file).get_points_no()

    def point(n: int) -> str:
        lat, when = 35 + n * 1e-7, f"2026-03-17T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
        speed = (
            f"<extensions><x:TrackPointExtension><x:speed>{n % 70 / 10}</x:speed></x:TrackPointExtension></extensions>"
        )
        return f'<trkpt lat="{lat:.7f}" lon="126.8"><ele>31.5</ele><time>{when}</time>{speed}</trkpt>\n'

    path = folder / "log.gpx"
    spaces = (
        'xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"'
    )
    points = "".join(map(point, range(POINTS)))
    path.write_text(f'<gpx version="1.1" {spaces}><trk><trkseg>{points}</trkseg></trk></gpx>', encoding="utf-8")
    return path, theirs, 5.0


READERS = {"gpx": gpx}
"""Reader -> function that makes a file and says how to count its fixes otherwise, and the target."""


def seconds(count: Count, path: Path) -> float:
    """Return how long reading takes; all points must be there."""
    started = time.perf_counter()
    if count(path) != POINTS:
        raise SystemExit(f"{path.name}: not all points were read")
    return time.perf_counter() - started


def main(names: list[str]) -> None:
    """Measure the readers of these names, or all."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names or list(READERS):
            path, theirs, target = READERS[name](Path(folder))
            both = [(seconds(ours, path), seconds(theirs, path)) for _ in range(ROUNDS)]
            mine, other = (statistics.median(times) for times in zip(*both, strict=True))
            print(f"{name}: {POINTS / mine:,.0f} points/s, {other / mine:.1f} x as fast (target {target})")


if __name__ == "__main__":
    main(sys.argv[1:])
