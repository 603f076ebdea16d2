"""Files of an agent's: tables that a spreadsheet would run, and names that say another kind of file."""

import pytest

from functions.bridge.agents.events import File, Finished, TextDelta
from functions.bridge.names import LONGEST_FILE_NAME, file_name
from tests.attacks.test_tables import cells_of
from tests.functions.bridge.asking import take
from tests.functions.fakes import Stage, Step


@pytest.mark.parametrize(
    "cell",
    [
        "-1+cmd\\|' /C calc'!A0",
        '-2+HYPERLINK("https://evil.example")',
        "-1-1",
        "-.5+A1",
        "--1",
        "-1,5;=1",
        "+1",
        "@SUM(A1)",
        "\uff1d1+1",  # full-width signs, which some spreadsheets take for the usual ones
        "\uff0b1+1",
        "\uff0d1+1",
        "\uff20SUM(A1)",
    ],
)
def test_a_cell_that_begins_like_a_formula_and_is_no_number_is_text(cell: str) -> None:
    assert cells_of(cell) == "'" + cell.replace("\\|", "|")


@pytest.mark.parametrize(
    "cell",
    ["-1", "-.5", "-0,5", "-1.234,56", "-1,234.56", "-1 000", "-3e-5", "-4 %", "-5 €", "-7°C", "-7 °C"],
)
def test_a_negative_number_stays_a_number(cell: str) -> None:
    assert cells_of(cell) == cell


@pytest.mark.parametrize(
    ("name", "media_type", "shared"),
    [
        ("report.pdf", "application/pdf", "report.pdf"),
        ("data.csv", "text/csv", "data.csv"),
        ("run.exe", "application/octet-stream", "run.exe.txt"),
        ("RUN.EXE", "", "RUN.EXE.txt"),
        ("run.exe. .", "", "run.exe.txt"),
        ("page.html", "text/html", "page.html.txt"),
        ("page", "text/html; charset=utf-8", "page.txt"),
        ("chart.svg", "image/svg+xml", "chart.svg.txt"),
        ("link.url", "", "link.url.txt"),
        ("macro.xlsm", "", "macro.xlsm.txt"),
        ("macro.xlsb", "", "macro.xlsb.txt"),
        ("setup.msix", "", "setup.msix.txt"),
        ("setup.appinstaller", "", "setup.appinstaller.txt"),
        ("disk.vhdx", "", "disk.vhdx.txt"),
        ("query.iqy", "", "query.iqy.txt"),
        ("wifi.mobileconfig", "", "wifi.mobileconfig.txt"),
        ("do.terminal", "", "do.terminal.txt"),
        ("photo\u202egnp.exe", "", "photognp.exe.txt"),
        ("photo\u2066\u200e\u061c.png", "", "photo.png"),
        ("a\nb\x00\tc.png", "", "a b c.png"),
        ("../../etc/passwd", "", "passwd"),
        ("C:\\Windows\\run.bat", "", "run.bat.txt"),
        ("", "", "file"),
        ("..", "", "file"),
    ],
)
def test_a_file_has_a_name_that_says_what_it_is_and_nothing_runs(
    name: str, media_type: str, shared: str
) -> None:
    assert file_name(name, media_type) == shared


def test_a_long_name_keeps_its_ending() -> None:
    assert len(file_name("a" * 500 + ".png")) == LONGEST_FILE_NAME
    assert file_name("a" * 500 + ".png").endswith("a….png")
    assert file_name("a" * 500 + ".exe").endswith(".exe.txt")
    assert len(file_name("a." + "b" * 500)) <= LONGEST_FILE_NAME
    assert len(file_name("a" * 500)) == LONGEST_FILE_NAME


def test_files_reach_the_thread_under_such_names(stage: Stage) -> None:
    script: list[Step] = [File("photo\u202egnp.exe", "image/png", b"MZ"), TextDelta("Look."), Finished()]
    take(stage, *script)
    assert [(file.name, file.data) for file in stage.chat.files] == [("photognp.exe.txt", b"MZ")]
