"""XML read as a stream of events, whatever is in it: no tree, no entities, no network.

What would make a parser use more memory or time than the file is worth is refused: any
DOCTYPE (so there are no entities), deep nesting, very many names, very long tokens.
Names are given without their prefix, because many exporters forget the namespace.
"""

import codecs
import re
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from analyzer.errors import LogError

BLOCK_BYTES = 1 << 18
MOST_DEPTH = 100
MOST_NAMES = 5_000
LONGEST_TOKEN_BYTES = 1 << 22
_KOREAN = {"euc-kr", "cp949", "ks_c_5601-1987", "ms949", "uhc"}
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str, str], None]


class _LocalNames(dict[str, str]):
    """Name -> name without prefix, made when first asked for."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rsplit(":", 1)[-1]
        return local


class XmlReader:
    """A parser that calls `start(name, attributes)` and `end(name, text)` for every element.

    `text` is what stands between the element's last child, or its start, and its end.
    """

    def __init__(self, path: str, start: Start, end: End) -> None:
        self.path = path
        self._start_of, self._end_of = start, end
        self._local = _LocalNames()
        self._text: list[str] = []
        self._depth = 0
        self._names: dict[str, str] = {}

    def read(self, stream: IO[bytes]) -> None:
        """Read a whole document; LogError where it is not sound."""
        block = stream.read(BLOCK_BYTES)
        decode = _korean_decoder(block)
        parser = self._parser("utf-8" if decode else None)
        seen = 0
        try:
            while block:
                data = decode(block).encode() if decode else block
                parser.Parse(data, False)
                seen += len(data)
                self._bounded(seen, parser.CurrentByteIndex)
                block = stream.read(BLOCK_BYTES)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise LogError(f"{self.path}: is not sound XML ({error}); was it cut off?") from error
        except (LookupError, ValueError) as error:
            raise LogError(f"{self.path}: its text cannot be decoded ({error}); save it as UTF-8") from error

    def _parser(self, encoding: str | None) -> expat.XMLParserType:
        """Return a parser that calls back."""
        parser = expat.ParserCreate(encoding, None, intern=self._names)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._doctype
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """Pass on the start of an element."""
        self._text.clear()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise LogError(f"{self.path}: its elements are nested more than {MOST_DEPTH} deep; that is no log")
        self._start_of(self._local[name], attributes)

    def _end(self, name: str) -> None:
        """Pass on the end of an element."""
        self._depth -= 1
        text = "".join(self._text)
        self._text.clear()
        self._end_of(self._local[name], text)

    def _doctype(self, *_declared: object) -> None:
        """Refuse a document type: it can define entities, and no log needs one."""
        raise LogError(f"{self.path}: holds a DOCTYPE, which no log needs and which can do harm; remove it")

    def _bounded(self, seen: int, at: int) -> None:
        """Refuse what would make the parser slow or large."""
        if seen - at > LONGEST_TOKEN_BYTES:
            raise LogError(
                f"{self.path}: one tag or comment is longer than {LONGEST_TOKEN_BYTES} bytes; that is no log"
            )
        if len(self._names) > MOST_NAMES:
            raise LogError(f"{self.path}: uses more than {MOST_NAMES} names of elements; that is no log")


def _korean_decoder(head: bytes) -> Callable[[bytes], str] | None:
    """Return how to decode a Korean encoding that the parser does not know, null for others."""
    declared = _DECLARED.match(head)
    if declared and declared[1].decode("ascii").lower() in _KOREAN:
        return codecs.getincrementaldecoder("cp949")().decode
    return None


def begins_with(head: bytes, root: str) -> bool:
    """Return whether the first bytes of a file are XML whose root element has this name."""
    text = head.decode("utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", "ignore")
    found = re.search(
        r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)[\s/>]", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    )
    return bool(found and found[2] == root and text.lstrip("\ufeff \t\r\n").startswith("<"))
