"""What must hold for the repository as a whole."""

import re
from pathlib import Path

import pytest

from analyzer import catalogue

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "analyzer").rglob("*.py"))
MOST_LINES = 350


@pytest.mark.parametrize("name", catalogue.PAGES)
def test_generated_docs_are_current(name):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == catalogue.PAGES[name](), "run `make docs`"


def test_modules_are_one_idea_each():
    assert [p.name for p in SOURCES if len(p.read_text(encoding="utf-8").splitlines()) > MOST_LINES] == []


def test_locks_hold_hashes_and_no_addresses():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert block.startswith("#") or "--hash=sha256:" in block, block[:60]


def test_changelog_says_which_verdicts_changed():
    assert "### Verdicts changed" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_names_the_commands_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)$", readme, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_file_holds_a_path_of_somebodys_machine():
    files = [
        p
        for name in ("analyzer", "docs", "zones", "benchmarks", "bundle")
        for p in (ROOT / name).rglob("*")
        if p.is_file()
    ]
    files += [ROOT / name for name in ("README.md", "Makefile", "pyproject.toml", "CONTRIBUTING.md", "cli.py")]
    files = [p for p in files if "__pycache__" not in p.parts and p.suffix != ".png"]
    texts = {p: p.read_text(encoding="utf-8") for p in files}
    found = [p.name for p, text in texts.items() if re.search(r"(?<![\w.-])/(home|root|tmp|Users|work)/", text)]
    assert found == []


def test_scripts_in_the_docs_are_python():
    scripts = re.findall(
        r"^```python\n(.*?)^```",
        (ROOT / "docs" / "converting.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert len(scripts) == 4
    for script in scripts:
        compile(script, "docs/converting.md", "exec")
