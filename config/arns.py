"""What ARNs begin with: AWS's partitions, and which regions are in each."""

# By partition, how its regions are called: `regionRegex` of botocore's endpoints, which lists the geographies
# one by one. Without those that have no way to Slack.
REGIONS = {
    "aws": r"(?!cn-)[a-z]{2}-[a-z]+-\d{1,2}",
    "aws-cn": r"cn-[a-z]+-\d{1,2}",
    "aws-us-gov": r"us-gov-[a-z]+-\d{1,2}",
    "aws-eusc": r"eusc-[a-z]{2}-[a-z]+-\d{1,2}",
}

# A regular expression, and the same in words.
REGION = ("|".join(REGIONS.values()), 'the name of an AWS region, such as "us-east-1"')


def arn_pattern(service: str, resource: str) -> str:
    """A regular expression for the ARN of a resource whose region is in the partition that the ARN names."""
    places = "|".join(f"{partition}:{service}:{region}" for partition, region in REGIONS.items())
    return f"arn:({places}):[0-9]{{12}}:{resource}"
