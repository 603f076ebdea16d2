import pytest

from simulator.slack.expansion import Table, expand


@pytest.mark.parametrize(
    ("markdown", "kinds"),
    [
        ("one\n\ntwo\n\n- three\n", ("rich_text",)),
        ("# one\ntwo\n\n***\n\n```\n# no heading\n```\n", ("header", "rich_text", "divider", "rich_text")),
        ("one\n===\n\n## two ##\n", ("header", "header")),
        ("a\n\n| b | c |\n| - | - |\n| 1 | 2 |\n\nd", ("rich_text", "table", "rich_text")),
        ("- # in a list\n\n> | b |\n> | - |\n", ("rich_text",)),
        ("", ()),
    ],
)
def test_markdown_becomes_blocks(markdown: str, kinds: tuple[str, ...]) -> None:
    assert expand(markdown).kinds == kinds


def test_a_table_is_measured_with_its_headings() -> None:
    assert expand("| city | °C |\n| --- | --: |\n| Chicago | 27 |\n").tables == (Table(2, 2, 4 + 2 + 7 + 2),)
