from sample.tools import places
from tests.sample.tools.recordings import OpenMeteo, sample


def test_places_are_trimmed_to_what_a_model_needs(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("geocoding_berlin")
    assert places.handler({"place_name": "Berlin"}, None) == {
        "places": [
            {
                "name": "Berlin",
                "region": "Berlin",
                "country": "Germany",
                "latitude": 52.52437,
                "longitude": 13.41053,
                "timezone": "Europe/Berlin",
                "population": 3426354,
            },
            {
                "name": "Berlin",
                "region": "New Hampshire",
                "country": "United States",
                "latitude": 44.46867,
                "longitude": -71.18508,
                "timezone": "America/New_York",
                "population": 9367,
            },
            {
                "name": "Berlín",
                "latitude": 13.5,
                "longitude": -88.53333,
                "timezone": "America/El_Salvador",
            },
        ]
    }


def test_the_name_is_asked_for_as_it_was_given(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("geocoding_berlin")
    places.handler({"place_name": "Köln & Bonn, Deutschland"}, None)
    assert open_meteo.queries == [{"name": "Köln & Bonn, Deutschland", "count": "5", "language": "en"}]


def test_a_name_that_nobody_knows_gets_a_hint(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("geocoding_nothing")
    answer = places.handler({"place_name": "Atlantis"}, None)
    assert answer["places"] == []
    assert "Check the spelling" in answer["hint"]
