"""`python -m tests.fuzz [SECONDS]` (`make fuzz`): every reader on damaged files, in bounded memory and time.

Half of the time the drive of `tests.drives`, in every format, is cut off, bits of it are
turned, pieces are doubled or lost, in a process of its own: nothing but a log in which
every record is counted, or a LogError, may come of it. `tests.bombs` follow. In the
other half the targets of the readers, `tests/properties/test_fuzz_*.py`, run with new
random numbers. A file that breaks a reader is kept, and named.
"""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from analyzer.errors import LogError
from analyzer.logs import plan_log, read_part
from tests.bombs import bombs
from tests.drives import ENCODINGS, drive
from tests.properties.damage import DAMAGES, MOST_SECONDS, OPTIONS, apply, read_whatever

SHORT = drive((12, 9.0, True))
LONG = drive((20_000, 9.0, True))
MOST_GROWTH_BYTES = 128 << 20
"""What reading any small file may add to the memory of a process."""
MOST_TIMES = 30
"""How many times the size of a file reading it may take on top."""
ADDRESSES_BYTES = 8 << 30
"""No process gets more addresses than that: a bomb must not take the machine along."""
STARTING_S = 120.0
CASE, SAID = "case", "said"
COMMAND = ("-m", "tests.fuzz")


def _peak_bytes():
    """Return the largest memory this process ever had; of Linux not `ru_maxrss`, in which a child starts as its parent."""
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _limited():
    """Limit the addresses of this process, where the system can."""
    import resource

    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES_BYTES, ADDRESSES_BYTES))


def written(folder, name, points):
    """Return the bytes of a drive."""
    path = folder / f"{name.split('.')[0]}.whole.{name}"
    ENCODINGS[name].write(path, points)
    data = path.read_bytes()
    path.unlink()
    return data


class Memory:
    """What this process takes from here on."""

    def __init__(self):
        with suppress(OSError):  # Linux can forget a peak; elsewhere that of the past counts
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self.before = _peak_bytes()

    def check(self, size):
        grown = _peak_bytes() - self.before
        most = MOST_GROWTH_BYTES + MOST_TIMES * size
        assert grown <= most, f"reading {size:,} bytes took {grown:,}, more than {most:,}"


def _damages(folder, seconds, seed):
    """Read damaged drives until the time is over; return how many."""
    chance, names = random.Random(int(seed)), list(ENCODINGS)
    seeds = {name: written(folder, name, SHORT) for name in names}
    for name, data in seeds.items():
        read_whatever(folder / name, data)
    memory, stop, count = Memory(), time.monotonic() + float(seconds), 0
    while time.monotonic() < stop:
        name = names[count % len(names)]
        damages = [(chance.choice(DAMAGES), chance.randrange(1 << 24)) for _ in range(chance.randint(1, 6))]
        _read(folder, name, apply(seeds[name], damages), memory)
        count += 1
    return count


def _read(folder, name, data, memory):
    """Read one file, kept in `folder` until it is read."""
    path = folder / CASE / name
    path.parent.mkdir(exist_ok=True)
    (folder / SAID).write_text(name, encoding="utf-8")
    read_whatever(path, data)
    memory.check(len(data))
    path.unlink()


def _bombs(folder):
    """Read every bomb; return how many."""
    return _each(folder, bombs(folder))


def _long(folder):
    """Read a long drive in every format: memory goes by the size of the file."""
    names = [name for name, encoding in ENCODINGS.items() if not encoding.profile]
    return _each(folder, {name: written(folder, name, LONG) for name in names})


def _each(folder, files):
    """Read files part by part, as the analysis does, after a sound one that warms everything up."""
    (folder / CASE).mkdir(exist_ok=True)
    read_whatever(folder / "comma.csv", written(folder, "comma.csv", SHORT))
    for name, data in files.items():
        path = folder / CASE / name
        path.write_bytes(data)
        (folder / SAID).write_text(name, encoding="utf-8")
        memory, started = Memory(), time.monotonic()
        _parts(str(path))
        assert time.monotonic() - started < MOST_SECONDS
        memory.check(len(data))
        path.unlink()
    return len(files)


def _parts(path):
    """Read a log part by part; keep nothing."""
    with suppress(LogError):
        plan = plan_log(path, OPTIONS)
        for part in plan.parts:
            log = read_part(plan, part, OPTIONS)
            assert log.record_count == log.records.height + log.rejects.height + log.other_records


JOBS = {"bombs": _bombs, "long": _long, "damages": _damages}


def child(job, folder, *arguments):
    """Do one job in this process."""
    _limited()
    print(JOBS[job](folder, *arguments))


def run(job, folder, *arguments, seconds=60.0):
    """Do a job in a process of its own; return what it prints. AssertionError says which file broke a reader."""
    command = [sys.executable, *COMMAND, "--job", job, str(folder), *map(str, arguments)]
    try:
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + STARTING_S)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"{_last(folder)} takes longer than {seconds:.0f} s") from error
    assert ended.returncode == 0, f"{_last(folder)} breaks a reader ({ended.returncode}):\n{ended.stderr[-3000:]}"
    return ended.stdout


def _last(folder):
    """Return the file that was read last."""
    said = folder / SAID
    return folder / CASE / said.read_text(encoding="utf-8") if said.is_file() else folder


def targets(seconds):
    """Run the targets of the readers, each time with other random numbers; return how often."""
    found = sorted(map(str, Path(__file__).parent.glob("properties/test_fuzz_*.py")))
    stop, rounds = time.monotonic() + seconds, 0
    while not rounds or time.monotonic() < stop:
        numbers = f"--hypothesis-seed={random.randrange(1 << 30)}"
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", numbers, *found]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, f"{numbers}:\n{ended.stdout[-5000:]}"
        rounds += 1
    return rounds


def main(seconds):
    """Fuzz for so long; the folder stays where something was found."""
    folder = Path(tempfile.mkdtemp(prefix="zonelog-fuzz-"))
    try:
        seed = random.randrange(1 << 30)
        print(f"seed {seed}, {folder}", flush=True)
        print(f"{run('damages', folder, seconds / 2, seed, seconds=seconds).strip()} damaged files", flush=True)
        print(f"{run('bombs', folder).strip()} bombs, {run('long', folder).strip()} long drives", flush=True)
        print(f"{targets(seconds / 2)} rounds of the targets", flush=True)
    except AssertionError as error:
        sys.exit(str(error))
    shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        child(sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else 300.0)
