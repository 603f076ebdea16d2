import json

from sample.tools import weather
from tests.sample.tools.recordings import OpenMeteo, gateway_context, recorded, sample


def test_an_action_group_with_function_details_gets_a_function_response(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin")
    answer = weather.handler(recorded("action_group_function"), None)
    body = answer["response"]["functionResponse"]["responseBody"]["TEXT"].pop("body")
    assert json.loads(body)["timezone"] == "Europe/Berlin"
    assert answer == {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": "obtain-weather-information-with-coordinates",
            "function": "weather",
            "functionResponse": {"responseBody": {"TEXT": {}}},
        },
    }


def test_a_gateway_gets_the_bare_result(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin")
    call = recorded("gateway")
    answer = weather.handler(call["event"], gateway_context(call["client_context"]))
    assert answer["timezone"] == "Europe/Berlin"
    assert answer.keys() == {"timezone", "now", "daily", "hourly"}


def test_both_wrappings_carry_the_same_arguments_and_result(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin")
    call = recorded("gateway")
    bare = weather.handler(call["event"], gateway_context(call["client_context"]))
    function = weather.handler(recorded("action_group_function"), None)
    assert json.loads(function["response"]["functionResponse"]["responseBody"]["TEXT"]["body"]) == bare
    assert open_meteo.queries[0] == open_meteo.queries[1]


def test_a_gateway_target_with_another_tools_name_is_told(open_meteo: OpenMeteo) -> None:
    call = recorded("gateway")
    context = gateway_context({"bedrockAgentCoreToolName": "weather___brew-coffee"})
    assert weather.handler(call["event"], context) == {
        "error": "There is no tool brew-coffee here; this is obtain-weather-information-with-coordinates"
    }
    assert open_meteo.queries == []


def test_a_call_without_a_client_context_is_served(open_meteo: OpenMeteo) -> None:
    open_meteo.body = sample("forecast_berlin")
    assert "error" not in weather.handler(recorded("gateway")["event"], gateway_context({}))


def test_bad_arguments_reprompt_the_model_of_a_function_action_group() -> None:
    event = recorded("action_group_function")
    event["parameters"][0]["value"] = "north"
    response = weather.handler(event, None)["response"]["functionResponse"]
    assert response["responseState"] == "REPROMPT"
    assert 'latitude is "north"' in json.loads(response["responseBody"]["TEXT"]["body"])["error"]


def test_an_outage_does_not_reprompt_the_model(open_meteo: OpenMeteo) -> None:
    open_meteo.status = 500
    function = weather.handler(recorded("action_group_function"), None)["response"]["functionResponse"]
    assert "responseState" not in function
    assert "out of order" in function["responseBody"]["TEXT"]["body"]


def test_an_action_group_call_without_any_arguments_is_told_what_is_missing() -> None:
    event = recorded("action_group_function")
    del event["parameters"]
    body = weather.handler(event, None)["response"]["functionResponse"]["responseBody"]["TEXT"]["body"]
    assert "latitude is missing" in body
    assert "longitude is missing" in body
