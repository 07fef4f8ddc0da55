"""template.yaml as CloudFormation sees it: loops written out, then SAM's short forms."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

from infra.local.package import load_template

ROOT = Path(__file__).resolve().parents[2]
_CODE = ("CodeUri", "ContentUri")
_ADDRESS = "s3://local/"


def expanded(path=ROOT / "template.yaml"):
    """The template with `Fn::ForEach` written out, and what that makes literal resolved."""
    template = load_template(path)
    return _expand(template, {}, template.get("Mappings", {}))


def transformed(path=ROOT / "template.yaml"):
    """`expanded`, after the SAM transform: plain CloudFormation. Code folders stand as S3 keys."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from samtranslator.translator.transform import transform

    return transform(_with_addresses(expanded(path)), {}, SimpleNamespace(load=dict))


def every(listed):
    """The entries of a list in the template, also those that a condition of its own lets in."""
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, dict) and "Fn::If" in one:
            yield from (given for given in one["Fn::If"][1:] if given != {"Ref": "AWS::NoValue"})
        else:
            yield one


def code_folder(properties):
    """The folder in this repository that a function's code comes from."""
    return ROOT / properties["Code"]["S3Key"]


def _expand(node, names, mappings):
    if isinstance(node, list):
        return [_expand(item, names, mappings) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key.startswith("Fn::ForEach::"):
            variable, values, body = value
            for one in values:
                result |= _expand(body, names | {variable: one}, mappings)
        else:
            result[_fill(key, names)] = _expand(value, names, mappings)
    return _resolved(result, names, mappings)


def _resolved(node, names, mappings):
    """A `Fn::Sub` that has become plain text, and a `Fn::FindInMap` whose keys are known."""
    match node:
        case {"Ref": str(name)} if name in names:
            return names[name]
        case {"Fn::Sub": str(text)}:
            text = _fill(text, names)
            return {"Fn::Sub": text} if "${" in text else text
        case {"Fn::Sub": [str(text), dict(values)]}:
            known = names | {name: value for name, value in values.items() if isinstance(value, str)}
            return _resolved({"Fn::Sub": text}, known, mappings)
        case {"Fn::FindInMap": [str(name), str(first), str(second)]}:
            return mappings[name][first][second]
    return node


def _fill(text, names):
    return re.sub(r"\$\{(\w+)\}", lambda match: names.get(match[1], match[0]), text)


def _with_addresses(node):
    if isinstance(node, list):
        return [_with_addresses(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _ADDRESS + value.rstrip("/") if key in _CODE and isinstance(value, str) else _with_addresses(value)
        for key, value in node.items()
    }
