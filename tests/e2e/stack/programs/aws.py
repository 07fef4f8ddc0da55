"""The AWS command line for the local stack, as far as the documents use it: `aws SERVICE OPERATION --option value …`.

Its first version does not honour AWS_ENDPOINT_URL everywhere, and the second is no Python package. Operations and
options are those of botocore's models, so that one which AWS does not have is refused here as well.
"""

import json
import sys
from pathlib import Path

import boto3
import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError

FLAGS = {"--no-cli-pager", "--cli-binary-format", "--output", "--query"}


def main(arguments):
    service, operation, *rest = arguments
    client = boto3.client("s3" if service == "s3api" else service)
    known = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
    if operation not in known:
        sys.exit(f"aws {service} has no {operation}")
    model = client.meta.service_model.operation_model(known[operation])
    target = rest.pop(0) if rest and not rest[0].startswith("--") else None  # `lambda invoke` writes to a file
    given, ours = {}, {}
    members = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in model.input_shape.members.items()}
    while rest:
        option, values = rest.pop(0), []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        if option in FLAGS:
            ours[option] = values
            continue
        if option not in members and option.replace("--no-", "--") not in members:
            sys.exit(f"aws {service} {operation} has no {option}")
        if operation == "invoke" and len(values) > 1:
            target = values.pop()
        name, shape = members[option.replace("--no-", "--") if option not in members else option]
        given[name] = value(shape, values)
    try:
        answer = getattr(client, xform_name(known[operation]))(**given)
    except ClientError as error:
        sys.exit(f"An error occurred: {error}")
    answer.pop("ResponseMetadata", None)
    if "Payload" in answer:
        Path(target or "/dev/stdout").write_bytes(answer.pop("Payload").read())
    if "Body" in answer:
        answer.pop("Body").read()
    show(answer, ours)


def value(shape, values):
    text = " ".join(values)
    if text.startswith("file://"):
        text = Path(text.removeprefix("file://")).read_text("utf-8")
        values = [text]
    match shape.type_name:
        case "boolean":
            return text != "false"
        case "integer" | "long":
            return int(text)
        case "list" if not text.lstrip().startswith("["):
            return [pairs(shape.member, one) for one in values]
        case "structure" | "map" | "list":
            return json.loads(text) if text.lstrip()[:1] in "[{" else pairs(shape, text)
        case "blob":
            return text.encode()
    return text


def pairs(shape, text):
    """`Name=a,Value=b` as a structure; a plain value of a plain shape."""
    if shape.type_name not in {"structure", "map"}:
        return text
    return {
        name: [one] if shape.type_name == "structure" and shape.members[name].type_name == "list" else one
        for name, one in (part.split("=", 1) for part in text.split(","))
    }


def show(answer, ours):
    found = jmespath.search(ours["--query"][0], answer) if "--query" in ours else answer
    if ours.get("--output") == ["text"]:
        print("\t".join(map(str, found)) if isinstance(found, list) else found)
    else:
        print(json.dumps(found, indent=4, default=str))


if __name__ == "__main__":
    main(sys.argv[1:])
