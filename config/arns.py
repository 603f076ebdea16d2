"""Patterns of ARNs: AWS's partitions and their regions."""

# A pattern of the region names of each partition, like `regionRegex` in botocore's endpoints. Partitions
# without access to the internet are left out: Slack cannot be reached from them.
REGIONS = {
    "aws": r"(?!cn-)[a-z]{2}-[a-z]+-\d{1,2}",
    "aws-cn": r"cn-[a-z]+-\d{1,2}",
    "aws-us-gov": r"us-gov-[a-z]+-\d{1,2}",
    "aws-eusc": r"eusc-[a-z]{2}-[a-z]+-\d{1,2}",
}

# A regular expression, and its meaning in words.
REGION = ("|".join(REGIONS.values()), 'the name of an AWS region, such as "us-east-1"')


def arn_pattern(service: str, resource: str) -> str:
    """A regular expression for the ARN of a resource whose region is in the partition that the ARN names."""
    places = "|".join(f"{partition}:{service}:{region}" for partition, region in REGIONS.items())
    return f"arn:({places}):[0-9]{{12}}:{resource}"
