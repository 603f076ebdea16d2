"""Names that people and agents choose, made safe for prompts and for files."""

import re
import unicodedata

# Characters.
LONGEST_NAME = 80
LONGEST_FILE_NAME = 120

# File name extensions that a double click runs, or opens as a page in a browser.
_RUNS = frozenset(
    [
        *("app", "apk", "bash", "bat", "chm", "cmd", "com", "command", "cpl", "deb", "desktop", "dll", "dmg"),
        *("docm", "dotm", "exe", "gadget", "hta", "htm", "html", "img", "inf", "iso", "jar", "jnlp", "js"),
        *("jse", "lnk", "mht", "mhtml", "mjs", "msc", "msi", "msp", "pif", "pkg", "pptm", "ps1", "psm1"),
        *("reg", "rpm", "scf", "scpt", "scr", "sh", "shtml", "svg", "svgz", "url", "vb", "vbe", "vbs"),
        *("webloc", "ws", "wsf", "wsh", "xhtml", "xht", "xlam", "xll", "xlsm", "zsh"),
        # Macros: what Office takes besides docm, pptm and xlsm.
        *("potm", "ppam", "ppsm", "sldm", "xla", "xlsb", "xltm"),
        # What asks another place what to run, or says how to connect to it.
        *(
            "appinstaller",
            "application",
            "fileloc",
            "inetloc",
            "iqy",
            "library-ms",
            "rdp",
            "search-ms",
            "slk",
        ),
        *("website", "xbap"),
        # Installers, disks, settings and scripts.
        *("action", "appimage", "applescript", "appx", "csh", "diagcab", "fish", "hlp", "htc", "ksh"),
        *("mobileconfig", "msix", "msixbundle", "msu", "pyw", "pyz", "run", "sct", "settingcontent-ms"),
        *("terminal", "theme", "vhd", "vhdx", "workflow", "wsc"),
    ]
)
# Without a width, these join signs of emoji and of some alphabets.
_SEEN = "\u200c\u200d"
# Windows allows none of these in a file name.
_NOWHERE = re.compile(r'[<>:"|?*]')
_RUNNING_TYPES = ("text/html", "application/xhtml", "image/svg", "application/x-ms", "text/javascript")


def one_line(name: str, *, most: int = LONGEST_NAME) -> str:
    """A name on one line, without invisible characters and those that change the writing direction."""
    shown = "".join(" " if sign.isspace() else sign for sign in name if _shows(sign))
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def visible(text: str) -> str:
    """A text without signs that nobody sees, in which orders can be hidden. Its lines end in line feeds."""
    return "".join(sign for sign in "\n".join(text.splitlines()) if sign in _SEEN or _shows(sign))


def quoted(name: str) -> str:
    """A name in double quotation marks. Those inside it become apostrophes, so it cannot end them."""
    return f'"{one_line(name).replace(chr(34), chr(39))}"'


def file_name(name: str, media_type: str = "") -> str:
    """The name under which an agent's file is shared. A program or an HTML page gets the extension .txt."""
    last = name.replace("\\", "/").rpartition("/")[2]
    # Windows ignores dots and spaces at the end.
    line = one_line(_NOWHERE.sub("_", last), most=1000).rstrip(". ") or "file"
    stem, dot, ending = line.rpartition(".")
    if len(line) > LONGEST_FILE_NAME:
        ending = (dot + ending)[:20]
        line = f"{(stem or line)[: LONGEST_FILE_NAME - len(ending) - 1]}…{ending}"
    runs = ending.strip(". ").lower() in _RUNS if dot else media_type.startswith(_RUNNING_TYPES)
    return f"{line}.txt" if runs else line


def _shows(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign)[0] != "C"
