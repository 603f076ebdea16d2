import pytest

from simulator.page.rendering import Renderer

RENDERER = Renderer({})
HOSTILE = '<img src=x onerror="alert(1)">'


def shown(*blocks: dict[str, object], **more: object) -> str:
    return RENDERER.message({"text": "", "blocks": list(blocks), **more})


def said(words: str) -> dict[str, object]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    return {"type": "rich_text", "elements": [section]}


def card(title: str, **more: object) -> dict[str, object]:
    return {"type": "task_card", "task_id": "t1", "title": title, "status": "in_progress", **more}


def file(name: str, kind: str, size: int = 27) -> dict[str, object]:
    return {"id": "F01", "name": name, "title": name, "mimetype": kind, "filetype": "csv", "size": size}


def test_a_task_card_shows_its_state_and_what_it_says() -> None:
    source = {"type": "url", "text": "Almanac", "url": "https://example.com/a"}
    html = shown(card("Looking", details=said("Chicago"), output=said("27 °C"), sources=[source]))
    assert '<div class="task in_progress">' in html
    assert '<span class="visually-hidden">In progress: </span>Looking' in html
    assert "Chicago" in html
    assert "27 °C" in html
    assert 'href="https://example.com/a"' in html


def test_a_plan_shows_its_cards() -> None:
    html = shown(
        {"type": "plan", "title": "Two steps", "tasks": [card("One"), card("Two", status="complete")]}
    )
    assert (
        html.index("Two steps") < html.index("One") < html.index('class="task complete"') < html.index("Two<")
    )


@pytest.mark.parametrize(
    ("statuses", "streaming_state", "is_open"),
    [
        (["complete", "in_progress"], "in_progress", True),
        (["complete", "complete"], "in_progress", True),
        (["complete", "error"], "completed", False),
        (["complete", "complete"], None, False),
        (["complete", "pending"], None, True),
    ],
)
def test_a_plan_is_folded_up_once_it_is_done(
    statuses: list[str], streaming_state: str | None, is_open: bool
) -> None:
    tasks = [card("A step", status=status) for status in statuses]
    html = shown({"type": "plan", "title": "Steps", "tasks": tasks}, streaming_state=streaming_state)
    assert html.startswith('<details class="plan" open>' if is_open else '<details class="plan">')


def test_a_table_block_has_a_row_of_headings() -> None:
    rows = [[{"type": "raw_text", "text": "city"}], [{"type": "raw_text", "text": "Chicago"}]]
    html = shown({"type": "table", "rows": rows})
    assert "<tr><th>city</th></tr><tr><td>Chicago</td></tr>" in html


def test_a_data_table_has_a_caption_and_a_row_of_headings() -> None:
    rows = [[{"type": "raw_text", "text": "°C"}], [{"type": "raw_number", "value": 25, "text": "25"}]]
    html = shown({"type": "data_table", "caption": "Wind & rain", "rows": rows})
    assert "<table><caption>Wind &amp; rain</caption><tr><th>°C</th></tr><tr><td>25</td></tr>" in html


def test_a_picture_is_shown_and_another_file_is_offered() -> None:
    html = shown(files=[file("chart.png", "image/png"), file("a.csv", "text/csv", 12_345)])
    assert '<img src="/page/files/F01" alt="chart.png">' in html
    assert '<a class="file" href="/page/files/F01" download="a.csv">' in html
    assert "CSV 12 KB" in html


def test_a_drawing_that_may_hold_scripts_is_only_offered() -> None:
    assert "<img" not in shown(files=[file("chart.svg", "image/svg+xml")])


@pytest.mark.parametrize(
    "html",
    [
        shown(card(HOSTILE, details=said(HOSTILE), output=said(HOSTILE))),
        shown(card("x", status=HOSTILE)),
        shown(card("x", sources=[{"type": "url", "text": HOSTILE, "url": "javascript:alert(1)"}])),
        shown({"type": "plan", "title": HOSTILE, "tasks": []}),
        shown({"type": "header", "text": {"type": "plain_text", "text": HOSTILE}}),
        shown({"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}}),
        shown({"type": "context", "elements": [{"type": "mrkdwn", "text": HOSTILE}]}),
        shown({"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}], [said(HOSTILE)]]}),
        shown({"type": "data_table", "caption": HOSTILE, "rows": [[said(HOSTILE)]]}),
        shown(files=[file(HOSTILE, "text/csv") | {"filetype": HOSTILE}]),
    ],
)
def test_nothing_becomes_active_markup(html: str) -> None:
    assert "<img" not in html
    assert "javascript:" not in html
    assert 'onerror="' not in html
