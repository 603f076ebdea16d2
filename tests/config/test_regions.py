from config.regions import has_type, regions_with

HARNESS = "AWS::BedrockAgentCore::Harness"


def test_a_type_is_in_the_regions_that_are_listed_for_it_and_in_no_other() -> None:
    regions = regions_with(HARNESS)
    assert {"us-east-1", "eu-central-1", "us-gov-west-1"} <= {*regions}
    assert all(has_type(region, HARNESS) for region in regions)
    assert "eu-south-1" not in regions
    assert not has_type("eu-south-1", HARNESS)


def test_regions_that_have_no_way_to_slack_are_not_offered() -> None:
    assert has_type("us-iso-east-1", HARNESS)
    assert "us-iso-east-1" not in regions_with(HARNESS)


def test_a_region_that_the_data_do_not_know_is_not_refused() -> None:
    assert has_type("eu-moon-1", HARNESS)
