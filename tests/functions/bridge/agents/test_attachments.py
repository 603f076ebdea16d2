import pytest

from functions.bridge.agents.attachments import objection
from functions.bridge.turn import Attachment

MEGABYTE = 1_000_000


def attachment(
    name: str = "chart.png", media_type: str = "image/png", size: int = 1_000, url: str = "https://a.example"
) -> Attachment:
    return Attachment(name, media_type, size, url)


@pytest.mark.parametrize(
    "media_type",
    [
        "image/jpeg",
        "text/plain",
        "text/csv",
        "application/pdf",
        "application/json",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ],
)
def test_an_agent_gets_the_files_that_it_can_read(media_type: str) -> None:
    assert objection([attachment(media_type=media_type)]) == ""


def test_a_question_without_files_is_fine() -> None:
    assert objection([]) == ""


@pytest.mark.parametrize("media_type", ["video/mp4", "audio/mpeg", "application/zip", "", "application/x-sh"])
def test_a_kind_of_file_that_an_agent_cannot_read_is_named(media_type: str) -> None:
    words = objection([attachment(), attachment("film.mp4", media_type)])
    assert "film.mp4" in words
    assert "PDF" in words


def test_five_files_are_taken_and_six_are_not() -> None:
    assert objection([attachment()] * 5) == ""
    words = objection([attachment()] * 6)
    assert "5 files" in words
    assert "6" in words


def test_ten_megabytes_together_are_taken_and_a_byte_more_is_not() -> None:
    assert objection([attachment(size=5 * MEGABYTE)] * 2) == ""
    words = objection([attachment("small.png"), attachment("large.png", size=10 * MEGABYTE)])
    assert "large.png" in words
    assert "10 MB" in words
    assert "small.png" not in words


def test_a_file_that_slack_keeps_from_the_bot_is_named() -> None:
    assert "chart.png" in objection([attachment(url="")])


@pytest.mark.parametrize("name", ["<!channel>.mp4", "<@U1>.mp4", "*bold*.mp4", "a\n# b.mp4"])
def test_the_name_of_a_file_is_only_text(name: str) -> None:
    words = objection([attachment(name, "video/mp4")])
    assert name not in words
    assert "\n" not in words
