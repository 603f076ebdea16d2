"""Disarms links whose text hides their target, which an injected prompt or a web page's title may contain.

Slack makes links of Markdown's `[text](address)` and `[text][name]`, its own `<address|text>`, and bare
addresses. All are searched in code too, because Slack's rules for code are not documented.
"""

import html
import re
import unicodedata
from collections import deque
from collections.abc import Collection
from urllib.parse import urlsplit

SCHEMES = frozenset({"http", "https", "mailto"})

_ZERO_WIDTH_SPACE = "\u200b"
_SIGN = re.compile(
    r"\\[^\n]"  # an escaped character
    r"|\n[ \t]*\n"  # the end of a paragraph, which ends every link
    r"|[\[\]]"
    r"|<(?P<address>[^<>\s|]+)(?:\|(?P<text>[^<>\n]*))?>"
    r"|(?P<bare>https?:[/\\]{2}[^\s<>|\]]+)",
    re.IGNORECASE,
)
# White space is taken whole (`\s*+`): with ways to divide a long row of it, a match would take for ever.
_TARGET = re.compile(
    r"\(\s*+(?P<address><[^<>\n]*>|[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\s++(?:\"[^\"]{0,1000}\"|'[^']{0,1000}'|\([^()]{0,1000}\)))?\s*+\)"
)
_BEGINNING = re.compile(r"(?:\(\s*|:[ \t]*\n?[ \t]*)<?(?P<address>[^\s()<>]*)")
# The scheme of an address, but not "std" in "std::string". spec.commonmark.org/0.31.2/#scheme
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{1,31}):(?!:)", re.IGNORECASE)
# In angle brackets and behind "]:", where code and logs often look like schemes, only these count.
_OPENS_AN_APP = re.compile(r"[^:]*://|(?:javascript|data|file|tel|sms|facetime|ms-[a-z]+):", re.IGNORECASE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_FORMATTING = re.compile(r"[*_~`\\\[\]]")
# An address in a text, with or without a scheme. The path is part of it, because file names look like hosts.
_IN_TEXT = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:/*)?(?:[^\s/?#@]*@)?"
    r"(?P<host>(?:[^\W_][\w-]{0,62}\.)+(?:xn--[\w-]+|[^\W\d_]{2,63})|\d{1,3}(?:\.\d{1,3}){3})"
    r"(?::\d+)?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.:_-]*")
# Characters. A longer text of a link is not searched: its host is always shown.
_LONGEST_TEXT = 500
_PUNCTUATION = ".,;:!?*_~'\"`)"
_MOST_OPEN = 100


def plainly(markdown: str, hosts: Collection[str] = ()) -> str:
    """The same text with every misleading link marked or turned into text.

    A link whose text looks like an address of another host gets its real host behind it. A link becomes text
    if its scheme is not in SCHEMES, or if `hosts` is not empty and has neither its host nor a parent of it
    ("example.com" allows "docs.example.com").
    """
    shown: list[str] = []
    done = at = 0
    opened: deque[int] = deque(maxlen=_MOST_OPEN)
    while sign := _SIGN.search(markdown, at):
        at = sign.end()
        said = ""  # what is inserted at `at`
        if sign[0] == "[":
            opened.append(at)
        elif sign[0] == "]" and opened:
            begin = opened.pop()
            text, is_image = markdown[begin : sign.start()], markdown[begin - 2 : begin - 1] == "!"
            if target := _TARGET.match(markdown, at):
                link = _Link(target["address"], text, hosts)
                if not link.is_text:
                    at, said = target.end(), link.note
                    if not is_image:
                        opened.clear()  # a link contains no other link
                else:
                    said = _ZERO_WIDTH_SPACE
            elif _is_half_a_disguise(markdown, at, text, hosts):
                said = _ZERO_WIDTH_SPACE
        elif sign["address"] is not None:
            link = _Link(sign["address"], sign["text"] or "", hosts, is_certain=sign["text"] is not None)
            if link.is_text:
                shown += [markdown[done : sign.start() + 1], _ZERO_WIDTH_SPACE]
                done = at = sign.start() + 1
                continue
            said = link.note
        elif sign["bare"] is not None:
            address = sign["bare"].rstrip(_PUNCTUATION)
            at = sign.start() + len(address)
            link = _Link(address, "", hosts)
            if link.is_text:
                colon = sign.start() + address.index(":") + 1
                shown += [markdown[done:colon], _ZERO_WIDTH_SPACE]
                done = colon
                continue
            said = link.note
        elif sign[0][0] == "\n":
            opened.clear()
        if said:
            shown += [markdown[done:at], said]
            done = at
    return "".join([*shown, markdown[done:]])


class _Link:
    """A link, or, where it is not `is_certain`, text that may be one.

    Attributes:
        is_text: whether it has to become text.
        note: what to insert behind it; "" for nothing.
    """

    def __init__(self, address: str, text: str, hosts: Collection[str], *, is_certain: bool = True) -> None:
        plain = _plain(address)
        scheme = _SCHEME.match(plain) if is_certain or _OPENS_AN_APP.match(plain) else None
        host, is_doubtful = _host(plain)
        is_doubtful = is_doubtful or "\\" in _authority(address, r"[/?#]")
        stranger = bool(hosts and host) and not any(
            host == one.lower() or host.endswith(f".{one.lower()}") for one in hosts
        )
        has_other_scheme = bool(scheme) and scheme[1].lower() not in SCHEMES  # type: ignore[index]
        is_disguised = _names_another(text, host)
        self.is_text = has_other_scheme or stranger or is_doubtful or (is_disguised and not host)
        self.note = f" ({host})" if is_disguised or "@" in _authority(plain) else ""


def _is_half_a_disguise(markdown: str, at: int, text: str, hosts: Collection[str]) -> bool:
    """Whether a reference link, its definition or an incomplete link follows `text` and may mislead."""
    follows = markdown[at : at + 1]
    if follows not in ("(", "[", ":"):
        return False
    if _names_another(text, ""):
        return True
    beginning = _BEGINNING.match(markdown, at)
    return beginning is not None and _Link(beginning["address"], "", hosts, is_certain=follows == "(").is_text


def _names_another(text: str, host: str) -> bool:
    """Whether the text of a link looks like an address of a host other than `host`."""
    if len(text) > _LONGEST_TEXT:
        return bool(host)
    text = unicodedata.normalize("NFKC", html.unescape(_FORMATTING.sub("", text)))
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return any(_without_www(_ascii(found["host"])) != _without_www(host) for found in _IN_TEXT.finditer(text))


def _plain(address: str) -> str:
    """The address without Markdown's angle brackets, escapes and entities."""
    plain = html.unescape(_ESCAPE.sub(r"\1", address.removeprefix("<").removesuffix(">")))
    return "".join(sign for sign in plain if not sign.isspace() and sign.isprintable())


def _authority(address: str, end: str = r"[/\\?#]") -> str:
    """The part of an address between its two slashes and its path."""
    return "" if _is_mail(address) else re.split(end, address.partition("//")[2], maxsplit=1)[0]


def _is_mail(address: str) -> bool:
    return address[:7].lower() == "mailto:"


def _host(address: str) -> tuple[str, bool]:
    """The host of an address, "" for none, and whether programs may read another host."""
    if _is_mail(address):
        host = _ascii(address[7:].partition("?")[0].rpartition("@")[2])
        return (host, False) if _HOST.fullmatch(host) else ("", True)
    if "//" not in address and not address.lower().startswith(("http:", "https:")):
        return "", False
    is_doubtful = not re.match(r"(?:[a-z][a-z0-9+.-]*:)?//[^/\\]", address, re.IGNORECASE)
    try:
        host = _ascii(urlsplit(address).hostname or "")
    except ValueError:
        host = "?"
    return (host, is_doubtful) if _HOST.fullmatch(host) else ("", True)


def _ascii(host: str) -> str:
    """The host in ASCII (IDNA), so that letters that look like others become visible."""
    host = host.lower().rstrip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host.encode("ascii", "backslashreplace").decode()


def _without_www(host: str) -> str:
    return host.removeprefix("www.")
