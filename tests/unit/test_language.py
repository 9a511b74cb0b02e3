"""Every text that people see is in the Korean catalogue, and the catalogue holds no other."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment
from jinja2.nodes import Call, Const, Name

from analyzer import language

ROOT = Path(__file__).resolve().parents[2] / "analyzer"
GAP = re.compile(r"\{(\w+)\}")


def texts_in_modules():
    """Yield the texts of both(...), several(...), translate(...) and marked(...) of all modules."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "both",
                "several",
                "translate",
                "marked",
            ):
                arguments = node.args[1:2] if node.func.id == "several" else node.args[:1]
                yield from (a.value for a in arguments if isinstance(a, ast.Constant))


def texts_in_templates():
    """Yield the texts of t(...) in the templates."""
    for path in (ROOT / "assets").glob("*.html"):
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        for node in tree.find_all(Call):
            if isinstance(node.node, Name) and node.node.name == "t" and node.args and isinstance(node.args[0], Const):
                yield node.args[0].value


def catalogue():
    return list(language.entries(language.CATALOGUE.read_text(encoding="utf-8")))


def test_nothing_is_missing_and_nothing_is_stale():
    shown = set(texts_in_modules()) | set(texts_in_templates())
    known = {key for key, text in catalogue() if key and text}
    assert sorted(shown - known) == [], "add these to analyzer/locale/ko.po"
    assert sorted(known - shown) == [], "nobody shows these any more: take them out of analyzer/locale/ko.po"


def test_every_text_is_there_once():
    keys = [key for key, _ in catalogue()]
    assert sorted(keys) == sorted(set(keys))


def test_gaps_are_the_same_in_both_languages():
    for key, text in catalogue():
        if key:
            assert set(GAP.findall(key)) == set(GAP.findall(text)), key


def test_korean_is_korean():
    for key, text in catalogue():
        plain = GAP.sub("", text)
        assert not key or re.search("[가-힣]", plain) or not re.search("[A-Za-z]{3}", plain), key


def test_texts_are_filled_once():
    assert language.both("{n} more rows are in report.xlsx, sheet Exposure.", n="{evil}")["en"].startswith(
        "{evil} more"
    )


@pytest.mark.parametrize(("number", "english"), [(1, "1 trip"), (0, "0 trips"), (1234, "1,234 trips")])
def test_numbers_choose_the_form(number, english):
    assert language.several(number, "{n} trip", "{n} trips")["en"] == english


def test_a_catalogue_is_read_as_gettext_writes_it():
    source = '#, fuzzy\nmsgid ""\nmsgstr "Language: ko\\n"\n\nmsgid "a"\n"b"\nmsgstr "c\\"d"\n\nmsgid "x"\nmsgid_plural "xs"\nmsgstr[0] "y"\n'
    assert list(language.entries(source)) == [("", "Language: ko\n"), ("ab", 'c"d'), ("x", "y")]


def test_every_remark_is_a_sentence_of_one_and_of_several():
    from analyzer.logs import Remark, notices_of
    from analyzer.logs._remarks import _SENTENCES

    for code in _SENTENCES:
        for count in (1, 12_345):
            (notice,) = notices_of([Remark(code, "a.log", count, ("one", "two"))])
            for text in (notice.ko, notice.en):
                assert text.startswith("a.log: ")
                assert not set("{}") & set(text), text
            assert "(s)" not in notice.en
            assert "1 times" not in notice.en
