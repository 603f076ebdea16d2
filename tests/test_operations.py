"""docs/operations.md leads to places that there are."""

import re
from pathlib import Path

import pytest

from infra.monitoring import QUERIES

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "docs" / "operations.md").read_text("utf-8")


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", sorted({*re.findall(r"\]\((?!https:)(\S+?)\)", MANUAL)}))
def test_links_lead_to_files_and_headings_that_there_are(link: str) -> None:
    file, _, anchor = link.partition("#")
    text = (ROOT / "docs" / file).read_text("utf-8") if file else MANUAL
    assert not anchor or anchor in anchors(text)


def test_saved_queries_are_named_as_the_console_lists_them() -> None:
    named = {*re.findall(r"[Ss]aved\s+query\s+\*([^*]+)\*", MANUAL)}
    assert len(named) > 4
    assert named <= QUERIES.keys()
