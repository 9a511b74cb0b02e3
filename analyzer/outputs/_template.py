"""Pages made of templates: every value is escaped, every text is there in both languages."""

from collections.abc import Mapping
from typing import Any

from analyzer.language import LANGUAGES, Both, both
from analyzer.outputs._page import ASSETS, asset, with_policy
from analyzer.plain_text import plain


def render(name: str, content: Mapping[str, Any]) -> str:
    """Return a page with its style inlined and a policy that allows nothing else.

    In templates `t` shows an English text of zonelog, or a text in both languages.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined, finalize=_shown
    )
    environment.globals["t"] = _spans
    style = own_markup(asset("report.css"))
    return with_policy(environment.get_template(name).render({**content, "style": style}))


def _shown(value: Any) -> Any:
    """Return a value as the page shows it: whole numbers in groups, hidden and turning characters as `?`."""
    if type(value) is int:
        return f"{value:,}"
    return plain(value) if type(value) is str else value


def own_markup(markup: str) -> Any:
    """Return markup of our own making; what is data in it was escaped where it was made."""
    from markupsafe import Markup  # noqa: PLC0415

    return Markup(markup)  # noqa: S704


def _spans(text: str | Both, **values: Any) -> Any:
    """Return a text in both languages, escaped; once where they agree."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    given = both(text, **values) if isinstance(text, str) else text
    texts = {lang: plain(given[lang]) for lang in LANGUAGES}
    if texts["ko"] == texts["en"]:
        return escape(texts["ko"])
    parts = [Markup('<span lang="{}">{}</span>').format(lang, texts[lang]) for lang in LANGUAGES]
    return Markup("").join(parts)
