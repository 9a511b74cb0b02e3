"""The index of a folder of runs: months, figures, links; hostile names are text; nobody's page is overwritten."""

import json
import shutil
from urllib.parse import unquote

import pytest

from analyzer.demo import run_demo
from analyzer.errors import OutputError
from analyzer.site import write_site

HOSTILE = "=<img src=x onerror=window.pwned=1>'{{7*7}}#?%41"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, "ko")
    return out


@pytest.fixture
def folder(result, tmp_path):
    for name in ("2026-03/a", "2026-03/b", HOSTILE):
        shutil.copytree(result, tmp_path / name)
    return tmp_path


def change(path, **values):
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    (path / "summary.json").write_text(json.dumps({**summary, **values}), encoding="utf-8")


def test_runs_are_listed_by_month_with_their_figures(folder):
    change(folder / "2026-03" / "a", first="2026-02-28T15:30:00Z", last="2026-02-28T16:00:00Z")  # 1 March in Seoul
    change(folder / "2026-03" / "b", first="2026-01-05T01:00:00Z", last="2026-01-05T02:00:00Z", verdict="compliant")
    index, count = write_site(folder, "en")
    page = index.read_text(encoding="utf-8")
    assert count == 3
    assert [page.count(text) for text in ("Mar 2026", "Jan 2026", "Feb 2026")] == [1, 1, 0]
    assert page.index("Mar 2026") < page.index("Jan 2026")
    assert 'href="./2026-03/a/report.html"' in page
    assert "2026-03-01 00:30" in page


def test_hostile_names_are_text_and_their_links_work(folder):
    page = write_site(folder, "ko")[0].read_text(encoding="utf-8")
    assert "<img" not in page
    assert "{{7*7}}" in page
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert len(links) == 9
    assert all(link.startswith("./") and (folder / unquote(link)).is_file() for link in links)


def test_no_link_to_what_is_not_there(folder):
    (folder / "2026-03" / "a" / "map.html").unlink()
    assert "2026-03/a/map.html" not in write_site(folder, "ko")[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("values", [{"verdict": "<b>"}, {"first": "now"}, {"findings": []}, {"zone_set": None}])
def test_a_broken_run_is_named_and_the_others_are_listed(folder, values):
    change(folder / "2026-03" / "a", **values)
    index, count = write_site(folder, "en")
    page = index.read_text(encoding="utf-8")
    assert count == 2
    assert "<li>2026-03/a</li>" in page


def test_the_same_folder_gives_the_same_bytes(folder):
    first = write_site(folder, "ko")[0].read_bytes()
    assert write_site(folder, "ko")[0].read_bytes() == first
    assert not list(folder.glob(".*"))


def test_what_is_not_ours_is_left_alone(folder, tmp_path):
    (folder / "index.html").write_text("<h1>mine</h1>", encoding="utf-8")
    with pytest.raises(OutputError, match="leaves it alone"):
        write_site(folder, "ko")
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(OutputError):
            write_site(tmp_path / name, "ko")
