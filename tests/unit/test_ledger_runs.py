"""Past runs as the command line lists, repeats and compares them."""

import json
import shutil
from pathlib import Path

import pytest

from analyzer.store import Store
from analyzer.zone_loading import bundled
from tests.hostile import hostile_log
from tests.unit.test_main import HEADER, zonelog

ALL = ("--zones", "set", "--lang", "en")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a zone set and two logs; the second is too fast."""
    shutil.copytree(bundled()["demo"], tmp_path / "set")
    (tmp_path / "logs").mkdir()
    log(tmp_path, "a", speed=5)
    log(tmp_path, "b", speed=9)
    return tmp_path


def log(folder, vehicle, *, speed, minute=0):
    rows = [
        f"{vehicle},2026-03-17T10:{minute:02d}:{s:02d}+09:00,35.192,126.82,{speed},0.5,autonomous,remote,sweeper"
        for s in range(0, 60, 2)
    ]
    path = folder / "logs" / f"{vehicle}.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def analyze(folder, *more, out="out"):
    done = zonelog("analyze", "logs", "--out", out, "--ledger", "ledger", *ALL, *more, cwd=folder)
    assert done.returncode in (0, 1, 3), done.stderr
    return done


def names(folder):
    return sorted(path.stem for path in (folder / "ledger" / "runs").glob("*.json"))


def bytes_of(out):
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def stricter(folder, old="max_speed_kph = 7.0", new="max_speed_kph = 4.0"):
    rules = folder / "set" / "rules.toml"
    text = rules.read_text("utf-8")
    assert old in text
    rules.write_text(text.replace(old, new), encoding="utf-8")


def diff(folder, one, other):
    """Return what is said of two runs, with slashes."""
    return zonelog("diff", "ledger", one, other, "--lang", "en", cwd=folder).stdout.replace("\\", "/")


def whys(said):
    """Return the reasons of all findings that differ."""
    return {line.partition("(why: ")[2].removesuffix(")") for line in said.splitlines() if "(why: " in line}


def no_modes(path):
    """Leave out mode and operator, which a file to join says."""
    rows = [line.split(",") for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(",".join((*row[:6], *row[8:])) for row in rows) + "\n", encoding="utf-8")


def test_runs_are_listed_with_what_changed(folder):
    analyze(folder)
    analyze(folder, "--no-map", "--no-report")
    log(folder, "c", speed=5)
    (folder / "logs" / "b.csv").unlink()
    said = analyze(folder, "--no-map", "--no-report").stderr
    assert "1 new, 0 changed, 1 removed, 1 known logs" in said
    assert "b.csv is no longer there; the result is without it" in said
    stricter(folder)
    analyze(folder, "--no-map", "--no-report")
    listed = zonelog("runs", "ledger", "--lang", "en", cwd=folder).stdout
    rows = [line for line in listed.splitlines() if "zonelog analyze" in line]
    assert [row.split()[0] for row in rows] == names(folder)[::-1]
    changed = ("rules changed", "1 new log, 1 removed log", "nothing changed", "the first run on these logs")
    for row, what in zip(rows, changed, strict=True):
        assert what in row
    assert "이 기록의 첫 실행" in zonelog("runs", "list", "ledger", "--lang", "ko", cwd=folder).stdout


def test_a_past_result_is_made_again_with_the_same_bytes_without_its_logs(folder):
    (folder / "base.geojson").write_text('{"type": "Point", "coordinates": [126.82, 35.19]}', encoding="utf-8")
    (folder / "fleet.csv").write_text("vehicle_id,vehicle_type\na,sweeper\n", encoding="utf-8")
    (folder / "profile.toml").write_text('[fixed]\noperator = "remote"\n', encoding="utf-8")
    (folder / "modes.csv").write_text(
        "vehicle_id,timestamp,control_mode\na,2026-03-17T10:00:00+09:00,manual\n", encoding="utf-8"
    )
    more = ["--basemap", "base.geojson", "--fleet", "fleet.csv", "--join", "modes.csv", "--from"]
    analyze(folder, *more, "2026-03-17T10:00:10+09:00", "--vehicle", "a", "--vehicle", "b")
    then = bytes_of(folder / "out")
    analyze(folder, out="other")
    shutil.rmtree(folder / "logs")
    stricter(folder)
    for name in ("base.geojson", "fleet.csv", "modes.csv"):
        (folder / name).unlink()
    done = zonelog("runs", "show", "ledger", names(folder)[0], "--out", "again", "--lang", "en", cwd=folder)
    assert (done.returncode, "with the same bytes" in done.stderr) == (0, True), done.stderr
    assert bytes_of(folder / "again") == then


def test_what_was_left_out_is_told_again(folder):
    zonelog("analyze", "logs", "--out", "logs/out", *ALL, "--no-map", "--no-report", cwd=folder)
    shutil.copytree(folder / "set", folder / "logs" / "set")
    (folder / "logs" / "letter.docx").write_text("dear", encoding="utf-8")
    (folder / "logs" / ".DS_Store").write_bytes(b"\0")
    analyze(folder)
    then = bytes_of(folder / "out")
    kinds = {notice["code"] for notice in json.loads(then["summary.json"])["notices"]}
    assert {"left-out-result", "left-out-zones", "left-out-unknown", "left-out-shadow"} <= kinds
    shutil.rmtree(folder / "logs")
    done = zonelog("runs", "show", "ledger", "last", "--out", "again", "--lang", "en", cwd=folder)
    assert "with the same bytes" in done.stderr, done.stderr
    assert bytes_of(folder / "again") == then


def test_a_log_that_could_not_be_read_is_named_again(folder):
    (folder / "logs" / "bad.csv").write_text("nothing\n1\n", encoding="utf-8")
    zonelog("analyze", "logs", "--out", "out", "--ledger", "ledger", *ALL, cwd=folder)
    then = bytes_of(folder / "out")
    shutil.rmtree(folder / "logs")
    done = zonelog("runs", "show", "ledger", "last", "--out", "again", "--lang", "en", cwd=folder)
    assert "with the same bytes" in done.stderr
    assert bytes_of(folder / "again") == then


def test_pieces_that_are_gone_are_made_from_the_records(folder):
    analyze(folder)
    shutil.rmtree(folder / "logs")
    shutil.rmtree(folder / "ledger" / "judged")
    done = zonelog("runs", "show", "ledger", "last", "--out", "again", "--lang", "en", cwd=folder)
    assert "with the same bytes" in done.stderr
    shutil.rmtree(folder / "ledger" / "judged")
    shutil.rmtree(folder / "ledger" / "records")
    done = zonelog("runs", "show", "ledger", "last", "--out", "more", "--lang", "en", cwd=folder)
    assert (done.returncode, "no longer in the ledger" in done.stderr) == (4, True), done.stderr
    assert not (folder / "more").exists()


def test_another_tool_is_named_and_judges_nothing_in_the_place_of_the_old_one(folder):
    analyze(folder, "--no-map", "--no-report")
    path = next((folder / "ledger" / "runs").glob("*.json"))
    manifest = json.loads(path.read_text("utf-8"))["receipt"]
    manifest["tool"]["zonelog"] = "0.0.1"
    Store.at(folder / "ledger").commit(
        "runs", "20200101T000000Z-000000", manifest | {"at": "2020-01-01T00:00:00+00:00"}
    )
    done = zonelog("runs", "show", "ledger", "2020", "--out", "again", "--lang", "en", cwd=folder)
    assert done.returncode == 4
    assert "was judged by another zonelog (0.0.1" in done.stderr


def test_a_difference_says_what_and_why(folder):
    analyze(folder, "--no-map", "--no-report")
    log(folder, "c", speed=9)
    analyze(folder, "--no-map", "--no-report")
    (folder / "logs" / "b.csv").unlink()
    analyze(folder, "--no-map", "--no-report")
    stricter(folder)
    analyze(folder, "--no-map", "--no-report")
    first, second, third, fourth = names(folder)

    def diff(one, other, lang="en"):
        return zonelog("diff", "ledger", one, other, "--lang", lang, cwd=folder).stdout

    new = diff(first, second)
    assert "Became findings: 1" in new
    assert "new data: logs/c.csv" in new.replace("\\", "/")
    gone = diff(second, third)
    assert "Ceased to be findings: 1" in gone
    assert "removed data: logs/b.csv" in gone.replace("\\", "/")
    rule = diff(third, fourth)
    assert "rules: demo-low-speed, 1 (changed)" in rule
    assert "Became findings: 1" in rule
    assert "Changed: 1" in rule
    assert "새로 생긴 판정 결과: 1건" in diff(third, fourth, "ko")
    both = diff(first, fourth)
    assert "new data: logs/c.csv" in both.replace("\\", "/")
    assert "or data of other files" in both
    assert "Became findings: 0" in diff(first, first)


def rename(folder):
    (folder / "logs" / "a.csv").rename(folder / "logs" / "q.csv")


def move(folder):
    (folder / "logs" / "more").mkdir()
    (folder / "logs" / "a.csv").rename(folder / "logs" / "more" / "a.csv")


def swap(folder):
    logs = folder / "logs"
    for old, new in (("a", "aside"), ("b", "a"), ("aside", "b")):
        (logs / f"{old}.csv").rename(logs / f"{new}.csv")


@pytest.mark.parametrize("act", [rename, move, swap])
def test_a_renamed_log_is_no_new_data(folder, act):
    analyze(folder, "--no-map", "--no-report")
    act(folder)
    said = analyze(folder, "--no-map", "--no-report").stderr
    assert "0 new, 0 changed, 0 removed, 2 known logs" in said
    assert "no longer there" not in said
    stricter(folder)
    analyze(folder, "--no-map", "--no-report")
    first, second, third = names(folder)
    same = diff(folder, first, second)
    assert [line for line in same.splitlines() if not line.endswith(": 0")] == []
    for since in (first, second):
        assert whys(diff(folder, since, third)) == {"rules: demo-low-speed, 1 (changed)"}
    listed = zonelog("runs", "ledger", "--lang", "en", cwd=folder).stdout
    assert "renamed log" in listed


def test_a_log_that_its_vehicle_is_called_after_counts_by_its_name(folder):
    nameless = folder / "logs" / "b.csv"
    rows = [line.partition(",")[2] for line in nameless.read_text("utf-8").splitlines()]
    nameless.write_text("\n".join(rows) + "\n", encoding="utf-8")
    analyze(folder, "--no-map", "--no-report")
    nameless.rename(folder / "logs" / "c.csv")
    analyze(folder, "--no-map", "--no-report")
    said = diff(folder, *names(folder))
    assert "Became findings: 1" in said
    assert "Ceased to be findings: 1" in said
    assert whys(said) == {"renamed log: logs/b.csv → logs/c.csv"}


def test_where_data_and_rule_changed_both_are_named(folder):
    analyze(folder, "--no-map", "--no-report")
    harmless = folder / "logs" / "a.csv"
    last = harmless.read_text("utf-8").splitlines()[-1]
    with harmless.open("a", encoding="utf-8") as file:
        file.write(last.replace("10:00:58", "10:01:00") + "\n")
    stricter(folder)
    analyze(folder, "--no-map", "--no-report")
    said = diff(folder, *names(folder))
    became = next(line for line in said.splitlines() if "  a  " in line)
    assert "(why: changed data: logs/a.csv; or rules: demo-low-speed, 1 (changed))" in became
    changed = next(line for line in said.splitlines() if "  b  " in line)
    assert "(why: rules: demo-low-speed, 1 (changed); or data of other files)" in changed


def test_a_log_that_could_not_be_read_before_is_new_data(folder):
    whole = (folder / "logs" / "b.csv").read_bytes()
    (folder / "logs" / "b.csv").write_bytes(b"nothing\n1\n")
    zonelog("analyze", "logs", "--out", "out", "--ledger", "ledger", *ALL, "--no-map", "--no-report", cwd=folder)
    (folder / "logs" / "b.csv").write_bytes(whole)
    analyze(folder, "--no-map", "--no-report")
    assert whys(diff(folder, *names(folder))) == {"new data: logs/b.csv"}


def test_another_content_of_the_joined_file_is_named_as_that(folder):
    modes = folder / "modes.csv"
    head = "vehicle_id,timestamp,control_mode\nb,2026-03-17T10:00:00+09:00,"
    no_modes(folder / "logs" / "b.csv")
    for mode in ("autonomous", "manual"):
        modes.write_text(f"{head}{mode}\n", encoding="utf-8")
        analyze(folder, "--no-map", "--no-report", "--join", "modes.csv", "--join-tolerance", "100")
    listed = zonelog("runs", "ledger", "--lang", "en", cwd=folder).stdout
    assert "joined file changed" in listed
    assert "options changed" not in listed
    assert whys(diff(folder, *names(folder))) == {"joined file (--join)"}


def test_a_damaged_manifest_is_named(folder):
    analyze(folder, "--no-map", "--no-report")
    analyze(folder, "--no-map", "--no-report")
    damaged = folder / "ledger" / "runs" / f"{names(folder)[0]}.json"
    damaged.write_text(damaged.read_text("utf-8").replace("zonelog analyze", "zonelog analyse"), encoding="utf-8")
    damaged.write_bytes(damaged.read_bytes()[:-20])
    done = zonelog("runs", "ledger", "--lang", "en", cwd=folder)
    assert f"runs/{damaged.name} is damaged; this run is lost" in done.stderr
    assert names(folder)[1] in done.stdout


def damage(mark):
    mark.write_bytes(b"\x00" * 18)


def flip(mark):
    mark.write_bytes(mark.read_bytes().replace(b"zonelog", b"zonelof"))


@pytest.mark.parametrize("harm", [damage, flip, Path.unlink])
def test_a_lost_mark_is_made_again_and_said(folder, harm):
    analyze(folder, "--no-map", "--no-report")
    mark = folder / "ledger" / "ledger.json"
    then = mark.read_bytes()
    commands = (
        ("analyze", "logs", "--out", "out", "--ledger", "ledger", "--zones", "set", "--no-map", "--no-report"),
        ("runs", "ledger"),
        ("runs", "show", "ledger", "last", "--out", "again"),
        ("diff", "ledger", "last", "last"),
    )
    for command in commands:
        harm(mark)
        done = zonelog(*command, "--lang", "en", cwd=folder)
        assert "Ledger: ledger.json was damaged or missing; it was made again." in done.stderr, done.stderr
        assert mark.read_bytes() == then
        assert "ledger.json" not in zonelog("runs", "ledger", "--lang", "en", cwd=folder).stderr


def test_a_mark_that_is_not_proven_by_a_run_is_for_people(folder):
    analyze(folder, "--no-map", "--no-report")
    for run in (folder / "ledger" / "runs").iterdir():
        run.unlink()
    mark = folder / "ledger" / "ledger.json"
    then = mark.read_bytes()
    for content, said in ((b"", "is damaged"), (None, "no ledger.json"), (b'{"zonelog_ledger":3}', "of another kind")):
        mark.unlink(missing_ok=True)
        if content is not None:
            mark.write_bytes(content)
        for command in (("runs", "ledger"), ("analyze", "logs", "--out", "o", "--ledger", "ledger", "--zones", "set")):
            done = zonelog(*command, cwd=folder)
            assert (done.returncode, said in done.stderr) == (4, True), done.stderr
            assert f"write {then.decode()} into ledger.json" in done.stderr


def test_wrong_names_are_explained(folder):
    assert "is no ledger" in zonelog("runs", "set", cwd=folder).stderr
    analyze(folder, "--no-map", "--no-report")
    done = zonelog("diff", "ledger", "1999", "last", cwd=folder)
    assert (done.returncode, "no run with a name that starts with '1999'" in done.stderr) == (4, True)


def test_names_of_logs_cannot_harm_the_terminal(folder):
    hostile_log(folder / "logs" / "hostile.csv")
    for _ in range(2):
        zonelog("analyze", "logs", "--out", "out", "--ledger", "ledger", *ALL, "--no-map", "--no-report", cwd=folder)
        (folder / "logs" / "hostile.csv").unlink(missing_ok=True)
    first, second = names(folder)
    said = zonelog("diff", "ledger", first, second, "--lang", "en", cwd=folder).stdout
    assert "Ceased to be findings" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[bold]" in said


def test_help_says_how(tmp_path):
    for command in (["runs"], ["runs", "list"], ["runs", "show"], ["diff"]):
        assert "Example:" in zonelog(*command, "--help", cwd=tmp_path).stdout, command
