import os
import threading

import pytest

from sample.tools import places
from sample.tools.failures import ServiceUnavailable
from sample.tools.open_meteo import MAX_BYTES, TIMEOUT, get
from simulator import wiring
from tests.sample.tools.recordings import OpenMeteo, sample


def error_of(place_name: str = "Berlin") -> str:
    text: str = places.handler({"place_name": place_name}, None)["error"]
    return text


def test_a_refusal_is_told_in_the_services_words(open_meteo: OpenMeteo) -> None:
    open_meteo.status, open_meteo.body = 400, sample("error")
    assert error_of() == (
        "The weather service refuses this: "
        "Cannot initialize WeatherVariable from invalid String value tempeture_2m for key hourly"
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": true}'])
def test_a_refusal_without_a_reason_is_still_an_answer(open_meteo: OpenMeteo, body: bytes) -> None:
    open_meteo.status, open_meteo.body = 400, body
    assert error_of() == "The weather service refuses this: it does not say why."


@pytest.mark.parametrize(
    ("status", "what"),
    [(429, "has had too many questions"), (500, "is out of order"), (404, "is out of order")],
)
def test_an_error_of_the_service_asks_for_patience(open_meteo: OpenMeteo, status: int, what: str) -> None:
    open_meteo.status, open_meteo.body = status, b"Traceback: secret of the service"
    error = error_of()
    assert what in error
    assert "try again" in error
    assert "secret" not in error


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[]", b"null", b'{"results": 7}', b'{"results": [{"name": "Berlin"}]}']
)
def test_an_answer_of_another_shape_is_an_outage(open_meteo: OpenMeteo, body: bytes) -> None:
    open_meteo.body = body
    assert "gave an answer that makes no sense" in error_of()


def test_an_endless_answer_is_an_outage(open_meteo: OpenMeteo) -> None:
    open_meteo.body = b" " * (MAX_BYTES + 1)
    assert "gave an answer that makes no sense" in error_of()


def test_a_connection_that_is_cut_is_an_outage(open_meteo: OpenMeteo) -> None:
    open_meteo.hangs_up = True
    assert "is out of reach" in error_of()


def test_a_service_that_is_not_there_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOCODING_URL", "http://127.0.0.1:1/v1/search")
    assert "is out of reach" in error_of()


def test_a_silent_service_is_not_waited_for(open_meteo: OpenMeteo) -> None:
    open_meteo.hold = threading.Event()
    with pytest.raises(ServiceUnavailable, match="did not answer in time"):
        get(os.environ["GEOCODING_URL"], {"name": "Berlin"}, dict, timeout=0.05)
    open_meteo.hold.set()


@pytest.mark.parametrize(("status", "slow_headers"), [(200, False), (200, True), (400, False)])
def test_a_trickling_answer_is_not_waited_for(open_meteo: OpenMeteo, status: int, slow_headers: bool) -> None:
    # Each byte comes well within the time that a whole call has; all of them would take 20 seconds.
    open_meteo.status, open_meteo.slow_headers = status, slow_headers
    open_meteo.body, open_meteo.pause = b" " * 1000, 0.02
    with pytest.raises(ServiceUnavailable, match="did not answer in time"):
        get(os.environ["GEOCODING_URL"], {"name": "Berlin"}, dict, timeout=1.5)
    assert 0 < open_meteo.written < 500


def test_a_call_ends_before_the_function_does() -> None:
    assert 0.6 * wiring.PLACES.timeout > TIMEOUT


def test_an_address_may_have_a_query_of_its_own(
    open_meteo: OpenMeteo, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_meteo.body = sample("geocoding_berlin")
    monkeypatch.setenv("GEOCODING_URL", f"{os.environ['GEOCODING_URL']}?apikey=k%26ey")
    places.handler({"place_name": "Berlin"}, None)
    assert open_meteo.queries == [{"apikey": "k&ey", "name": "Berlin", "count": "5", "language": "en"}]


def test_an_invalid_address_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOCODING_URL", "weather.example.com")
    assert "The weather service gave an answer" in error_of()


def test_a_lone_surrogate_is_no_place(open_meteo: OpenMeteo) -> None:
    error = error_of("Ber\ud800lin")
    assert r'place_name is "Ber\ud800lin"' in error
    assert open_meteo.queries == []
    assert error.encode()


def test_neither_the_query_nor_the_address_is_logged(
    open_meteo: OpenMeteo, caplog: pytest.LogCaptureFixture
) -> None:
    open_meteo.status = 503
    error_of("Neuschwanstein")
    assert [record.getMessage() for record in caplog.records] == ["Open-Meteo: answered 503 (_Refused)"]
