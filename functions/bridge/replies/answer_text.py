"""The growing text of an answer as Slack shows it: with its sources' numbers, and huge tables as files.

An answer may have a megabyte, and the parser's tokens take up to 700 times as many bytes as the text. Text
that is settled is therefore not read again, and one very long block only when it has grown by a quarter.
"""

from collections.abc import Collection, Iterator

from functions.bridge import wording
from functions.bridge.agents.events import File
from functions.bridge.markdown import tables
from functions.bridge.markdown.growing import closed, steady
from functions.bridge.markdown.links import plainly
from functions.bridge.markdown.safe import clean, disarm, fenced
from functions.bridge.markdown.structure import Reading
from functions.bridge.markdown.tables import Form

# Characters that are read at once, and the length up to which open text is read again each time.
_AT_ONCE = 50_000
_SMALL = 8_000


class Draft:
    """The text so far. Add to it in order; read it at any time. For `link_hosts` see `links.plainly`."""

    def __init__(self, link_hosts: Collection[str] = ()) -> None:
        self._link_hosts = link_hosts
        self._done: list[str] = []
        self._files: list[File] = []
        # The text that is not settled, as far as it was read, and what has been added since.
        self._open = ""
        self._new: list[str] = []
        self._length = 0
        self._ends_in_return = False
        self._enough = _SMALL
        self._reading: Reading | None = None
        # Marks with their offset in the text that is not settled: each belongs after that many characters.
        self._marks: list[tuple[int, str]] = []
        # How many characters of the text that is not settled have been shown as steady.
        self._steady = 0

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self._done or self._length)

    def add(self, text: str) -> str:
        """Add Markdown. Returns it cleaned."""
        said = clean(text[1:] if self._ends_in_return and text.startswith("\n") else text)
        self._ends_in_return = text.endswith("\r") or (self._ends_in_return and not text)
        if not self:
            said = said.lstrip()
        if said:
            self._new.append(said)
            self._length += len(said)
        return said

    def mark(self, number: int) -> None:
        """Put the number of a source after the text so far."""
        self._marks.append((self._length, f"[{number}]"))

    def growing(self) -> str:
        """All of the text but perhaps its end, which may be incomplete."""
        reading = self._read(is_whole=False)
        return "".join([*self._done, self._shown(reading, len(reading.text) + 1, [], is_whole=False)])

    def closed(self) -> str:
        """All of the text, with an open code block closed, so that something else can follow."""
        reading = self._read()
        if (text := closed(self._open)) != self._open:
            reading = Reading(text)
        return "".join([*self._done, self._shown(reading, len(reading.text) + 1, [])]).rstrip()

    def steady(self) -> str:
        """The beginning of the text that nothing added later changes."""
        reading = self._read(is_whole=False)
        end = len(steady(reading.text))
        for table in reading.tables[-1:]:
            if reading.grows(table):
                end = min(end, reading.start_of(table.first))
        self._steady = max(self._steady, len(reading.text[:end].rstrip()))
        return "".join([*self._done, self._shown(reading, self._steady, [], is_whole=False)]).rstrip()

    def files(self) -> list[File]:
        """The tables that are too large for a message."""
        reading = self._read()
        files: list[File] = []
        self._shown(reading, len(reading.text) + 1, files)
        return [*self._files, *files]

    def _read(self, *, is_whole: bool = True) -> Reading:
        """The text that is not settled. Unless `is_whole`, its end is missing where reading takes long."""
        unread = self._length - len(self._open)
        if self._reading and not is_whole and len(self._open) > _AT_ONCE and unread < len(self._open) // 4:
            return self._reading
        new, self._new = "".join(self._new), []
        for at in range(0, len(new), _AT_ONCE):
            self._open += new[at : at + _AT_ONCE]
            self._reading = None
            if len(self._open) > self._enough:
                self._settle()
        if self._reading is None:
            self._reading = Reading(self._open)
        return self._reading

    def _settle(self) -> None:
        """Settle all but the last block, which may still become something else."""
        self._reading = reading = Reading(self._open)
        at = reading.start_of_last_block()
        # Where it is one block that goes on growing, each look would take longer than the one before.
        self._enough = 2 * len(self._open)
        left = [(behind, mark) for behind, mark in self._marks if reading.place_behind(behind)[0] >= at]
        if at == 0 or any(behind < at for behind, _ in left):
            return
        files: list[File] = []
        self._done.append(self._shown(reading, at, files))
        self._files += files
        self._marks = [(behind - at, mark) for behind, mark in left]
        self._open = self._open[at:]
        self._length -= at
        self._steady = max(0, self._steady - at)
        self._enough = max(_SMALL, 2 * len(self._open))
        self._reading = None

    def _shown(self, reading: Reading, end: int, files: list[File], *, is_whole: bool = True) -> str:
        """The text before `end`, as it is shown. Files of its tables are added to `files`.

        Unless `is_whole`, more text may follow, and no mark is put after the last block.
        """
        marks = self._marks_placed(reading, end, is_whole=is_whole)
        edits = sorted([*self._tables_as_files(reading, end, files), *marks])
        shown: list[str] = []
        at = 0
        for begin, until, instead in edits:
            shown += [reading.text[at:begin], instead]
            at = until
        return disarm(plainly("".join([*shown, reading.text[at:end]]), self._link_hosts))

    def _tables_as_files(
        self, reading: Reading, end: int, files: list[File]
    ) -> Iterator[tuple[int, int, str]]:
        for table in reading.tables:
            first, behind = reading.start_of(table.first), reading.end_of(table.end - 1)
            if table.form is not Form.FILE or first >= end:
                continue
            # Words that were shown as steady stay, though they have become the head of this table.
            begin = max(first, min(self._steady, end))
            if behind >= end:  # it goes on, and is said to be in a file when it is complete
                yield begin, end, ""
                continue
            number = len(self._files) + len(files) + 1
            if number > tables.MOST_FILES:
                yield first, behind, fenced(reading.text[first:behind])
                continue
            name = f"table-{number}.csv"
            files.append(tables.file(table.rows, name))
            note = wording.table_in_file(len(table.rows) - 1, name)
            yield begin, behind, f"\n\n{note}" if begin > first else note

    def _marks_placed(self, reading: Reading, end: int, *, is_whole: bool) -> Iterator[tuple[int, int, str]]:
        placed: dict[tuple[int, str], dict[str, None]] = {}
        for behind, mark in self._marks if self else ():
            if behind > len(reading.text) and not is_whole:
                continue  # not read yet; a whole text has lost no more than the white space at its end
            at, before = reading.place_behind(behind)
            if at < end and (is_whole or "\n" not in before or reading.goes_on_behind(at)):
                placed.setdefault((at, before), {})[mark] = None
        for (at, before), marks in placed.items():
            follows = reading.text[at : at + 1]
            after = "\n" if "\n" in before else "" if not follows or follows.isspace() else " "
            yield at, at, before + " ".join(marks) + after
