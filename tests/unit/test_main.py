"""The command line, as a newcomer and a script use it: output, exit statuses, interruption."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer import __main__ as command_line
from tests.hostile import hostile_log

ROOT = Path(__file__).resolve().parents[2]
HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph,horizontal_accuracy_m,control_mode,operator,vehicle_type"


def zonelog(*arguments, cwd, **env):
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
    environment = os.environ | {"PYTHONUTF8": "1", "LANG": "C.UTF-8"} | env
    return subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=120, env=environment
    )


def log(folder, *, speed=5, latitude=35.192, mode="autonomous", operator="remote", name="log.csv"):
    rows = [
        f"SYNTHETIC-SWEEPER,2026-03-17T10:00:{s:02d}+09:00,{latitude},126.82,{speed},0.5,{mode},{operator},sweeper"
        for s in range(0, 30, 2)
    ]
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return folder / name


def analyze(folder, *arguments):
    return zonelog("analyze", *arguments, "--zones", "demo", "--out", "out", "--lang", "en", cwd=folder)


def test_help_shows_examples(tmp_path):
    assert "zonelog demo" in zonelog("--help", cwd=tmp_path).stdout
    for command in (
        ["analyze"],
        ["demo"],
        ["zones"],
        ["zones", "list"],
        ["zones", "check"],
        ["checks"],
        ["formats"],
        ["explain"],
        ["site"],
    ):
        assert "Example:" in zonelog(*command, "--help", cwd=tmp_path).stdout, command


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from analyzer.__main__ import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'polars', 'shapely', 'numpy', 'folium', 'pyproj', 'rich', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip().endswith("[]")


def test_compliant_is_0(tmp_path):
    done = analyze(tmp_path, log(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No: every trip obeyed every rule" in done.stdout


def test_violation_is_1_and_can_be_let_pass(tmp_path):
    done = analyze(tmp_path, log(tmp_path, speed=9))
    assert done.returncode == 1
    assert "faster than the limit" in " ".join(done.stdout.split())
    assert analyze(tmp_path, log(tmp_path, speed=9), "--fail-on", "never").returncode == 0


def test_undecided_is_3_and_can_be_let_pass(tmp_path):
    assert analyze(tmp_path, log(tmp_path, operator="unknown")).returncode == 3
    assert analyze(tmp_path, log(tmp_path, operator="unknown"), "--fail-on", "violation").returncode == 0
    assert analyze(tmp_path, log(tmp_path, speed=9), "--fail-on", "violation").returncode == 1


def test_wrong_usage_is_2_and_suggests(tmp_path):
    done = zonelog("analyse", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert "analyze" in done.stderr
    assert zonelog("analyze", cwd=tmp_path).returncode == 2
    assert analyze(tmp_path, log(tmp_path), "--timezone", "Seoul").returncode == 2


def test_bad_input_is_4_and_writes_nothing(tmp_path):
    (tmp_path / "empty.csv").touch()
    done = analyze(tmp_path, "empty.csv")
    assert done.returncode == 4
    assert "is empty" in done.stderr
    assert not (tmp_path / "out").exists()
    assert zonelog("analyze", log(tmp_path), "--zones", "nowhere", "--out", "out", cwd=tmp_path).returncode == 4
    assert zonelog("analyze", log(tmp_path), "--zones", "demo", "--out", ".", cwd=tmp_path).returncode == 4


def test_one_bad_log_of_two_is_4_but_the_other_is_judged(tmp_path):
    (tmp_path / "empty.csv").touch()
    done = analyze(tmp_path, "empty.csv", log(tmp_path))
    assert done.returncode == 4
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert [bool(entry["error"]) for entry in summary["logs"]] == [False, True] or [
        bool(entry["error"]) for entry in summary["logs"]
    ] == [True, False]


def test_json_is_all_there_is_on_stdout(tmp_path):
    done = analyze(tmp_path, log(tmp_path), "--json")
    assert json.loads(done.stdout)["verdict"] == "compliant"
    assert analyze(tmp_path, log(tmp_path), "--quiet").stdout == ""


def test_a_part_can_be_judged_and_is_said(tmp_path):
    done = analyze(tmp_path, log(tmp_path), "--from", "2026-03-17T10:00:10+09:00", "--json")
    summary = json.loads(done.stdout)
    assert "part-judged" in {notice["code"] for notice in summary["notices"]}
    account = summary["logs"][0]
    assert (account["records"], account["fixes"], account["other_records"]) == (15, 10, 5)
    assert analyze(tmp_path, log(tmp_path), "--vehicle", "nobody").returncode == 4


def test_korean_by_locale(tmp_path):
    done = zonelog("analyze", log(tmp_path), "--zones", "demo", "--out", "out", cwd=tmp_path, LC_ALL="ko_KR.UTF-8")
    assert "모든 운행이 모든 규칙을 지켰습니다" in done.stdout


def test_terminal_gets_no_control_characters(tmp_path):
    done = zonelog("analyze", hostile_log(tmp_path / "log.csv"), "--zones", "gwangju", "--out", "out", cwd=tmp_path)
    assert done.returncode in (1, 3), done.stderr
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "[bold]x[/bold]" in done.stdout


def test_explain(tmp_path):
    analyze(tmp_path, log(tmp_path, speed=9))
    lines = (tmp_path / "out" / "findings.csv").read_text(encoding="utf-8-sig").splitlines()
    finding = lines[1].split(",")[0]
    done = zonelog("explain", "out", finding[:6], "--lang", "en", cwd=tmp_path)
    assert done.returncode == 0
    for part in (
        "margin      2.000 > error 0.000 km/h",
        "demo-low-speed, revision 1",
        "SYNTHETIC-SWEEPER,2026-03-17T10:00",
    ):
        assert part in done.stdout
    korean = zonelog("explain", "out", finding[:6], "--lang", "ko", cwd=tmp_path).stdout
    for part in ("초과분      2.000 > 오차 0.000 km/h", "시작        2026-03-17 10:00", "+09:00", "계산식"):
        assert part in korean
    assert not set(korean.split()) & {"margin", "peak", "duration", "start", "formula", "records"}
    assert zonelog("explain", "out", "zzz", cwd=tmp_path).returncode == 4
    log(tmp_path, speed=8)
    assert "changed since" in zonelog("explain", "out", finding, cwd=tmp_path).stdout


def test_catalogue(tmp_path):
    assert "speed-limit" in zonelog("checks", cwd=tmp_path).stdout
    assert "## Example" in zonelog("checks", "speed-limit", cwd=tmp_path).stdout
    done = zonelog("formats", "cvs", cwd=tmp_path)
    assert (done.returncode, "did you mean 'csv'" in done.stderr) == (4, True)
    assert "20.87 km²" in zonelog("zones", "check", "gwangju", cwd=tmp_path).stdout


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_interrupted_is_130_and_writes_nothing(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(400):
        log(folder, name=f"log{number}.csv")
    command = [sys.executable, str(ROOT / "cli.py"), "analyze", "logs", "--zones", "demo", "--out", "out"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(1.2)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "interrupted" in said
    assert "nothing was written" not in said  # a ledger may have been
    assert "a ledger keeps what was finished" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs"]


def test_help_of_analyze_says_what_the_readme_says(tmp_path):
    said = " ".join(zonelog("analyze", "--help", cwd=tmp_path).stdout.split())
    for status in (
        "0 all compliant",
        "1 a violation",
        "3 something",
        "4 some input",
        "2 wrong usage",
        "130 interrupted",
    ):
        assert status in said
    readme = (ROOT / "README.md").read_text("utf-8")
    formats = re.search(r"`--basemap FILE` \((.*?), repeatable\)", readme)[1]
    assert formats in said


def leftover(folder, name, inside=("new/summary.json",), *, days=2.0):
    """Return a folder that a killed run left beside its result some days ago."""
    left = folder / name
    for file in inside:
        (left / file).parent.mkdir(parents=True, exist_ok=True)
        (left / file).write_text("{}", encoding="utf-8")
    left.mkdir(exist_ok=True)
    then = time.time() - days * 86_400
    for path in (*left.rglob("*"), left):
        os.utime(path, (then, then))
    return left


def test_what_killed_runs_left_beside_the_result_is_removed_where_that_is_safe(tmp_path):
    gone = [leftover(tmp_path, ".zonelog-abcd_123"), leftover(tmp_path, ".zonelog-00000000", ())]
    stay = [
        leftover(tmp_path, ".zonelog-abcd0001", days=0.5),
        leftover(tmp_path, ".zonelog-abcd0002", ("new/a.csv", "old/run.json")),  # the only previous result, perhaps
        leftover(tmp_path, ".zonelog-abcd0003", ("mine.txt",)),
        leftover(tmp_path, ".zonelog-of-mine", ("new/a.csv",)),
    ]
    at_work = leftover(tmp_path, ".zonelog-abcd0004")
    (at_work / "new" / "report.html").write_text("half", encoding="utf-8")
    (tmp_path / ".zonelog-abcd0005").symlink_to(stay[2])
    assert analyze(tmp_path, log(tmp_path), "--no-map", "--no-report").returncode == 0
    assert [path for path in gone if path.exists()] == []
    assert [path for path in (*stay, at_work) if not any(path.rglob("*.*"))] == []


@pytest.mark.parametrize("address", ["gs://bucket/x", "az://bucket/x", "S3://bucket/x", "s3:/bucket/x", "http://h/x"])
def test_addresses_of_what_is_not_supported_are_refused(tmp_path, address):
    log(tmp_path)
    before = sorted(tmp_path.iterdir())
    for arguments in (
        ("analyze", "log.csv", "--zones", "demo", "--out", address),
        ("analyze", "log.csv", "--zones", "demo", "--out", "out", "--ledger", address),
        ("runs", address),
        ("runs", "show", "ledger", "last", "--out", address),
        ("demo", "--out", address),
        ("site", address),
    ):
        done = zonelog(*arguments, "--lang", "en", cwd=tmp_path)
        assert (done.returncode, address in done.stderr, "folder" in done.stderr) == (2, True, True), done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "address", ["gs://bucket/x.csv", "S3://bucket/x.csv", "ftp://h/x.csv", "http://127.0.0.1:9/x.csv"]
)
def test_logs_at_addresses_that_cannot_be_read_are_named(tmp_path, address):
    done = analyze(tmp_path, address)
    assert (done.returncode, done.stderr.startswith(f"zonelog: {address}: ")) == (4, True), done.stderr


def test_a_drive_of_windows_is_a_path():
    from analyzer.addresses import scheme_of, where

    for path in ("C:\\x", "C:/x", "c://x", "x:/y", "./gs:/x", "a/b"):
        assert scheme_of(path) is None
        assert where(path) == Path(path)
    assert scheme_of("gs://x") == "gs"


def test_quiet_still_names_what_cannot_be_read(tmp_path):
    log(tmp_path)
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    result = analyze(tmp_path, ".", "--quiet")
    assert (result.returncode, result.stdout) == (4, "")
    assert "cut.parquet" in result.stderr


def test_an_error_of_our_own_is_no_violation(monkeypatch, capsys):
    def fail(**_):
        raise RuntimeError("\x1b[31m")

    monkeypatch.setattr(command_line.cli, "main", fail)
    with pytest.raises(SystemExit) as stop:
        command_line.main()
    said = capsys.readouterr().err
    assert stop.value.code == 4
    assert "RuntimeError" in said
    assert "please report" in said
    assert "\x1b" not in said
