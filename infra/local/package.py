"""Puts local code where CloudFormation can find it: what `sam package` does, for the local stack."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

_CODE_KEYS = ("CodeUri", "ContentUri")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files give the same archive, whenever they were written


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (`!Ref`, `!GetAtt`, `!Sub`, …)."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


def load_template(path: Path) -> dict[str, Any]:
    """The template with every short form written out, and `Fn::ForEach` as it stands."""
    template = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    assert isinstance(template, dict)
    return template


def archive(folder: Path) -> bytes:
    """A zip of `folder`, the same bytes for the same files. A layer's bytecode travels; a function's has no use."""
    layer = (folder / "python").is_dir()
    files = sorted(p for p in folder.rglob("*") if p.is_file() and (layer or "__pycache__" not in p.parts))
    if not files:
        raise FileNotFoundError(f"{folder} is empty or missing: run `make setup` (functions) or `make layer-local`")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for file in files:
            target.writestr(zipfile.ZipInfo(str(file.relative_to(folder)), _EPOCH), file.read_bytes())
    return buffer.getvalue()


def package(
    template: dict[str, Any], root: Path, folders: Mapping[Path, Path], upload: Callable[[str, bytes], str]
) -> str:
    """The template as JSON, each local folder uploaded and replaced by its address.

    `folders` maps a folder named in the template to the one to take in its place (the layer's local build).
    `upload(key, body)` returns an `s3://` address.
    """
    addresses: dict[str, str] = {}

    def address(named: str) -> str:
        if named not in addresses:
            body = archive(folders.get(Path(named), root / named))
            addresses[named] = upload(f"{hashlib.sha256(body).hexdigest()}.zip", body)
        return addresses[named]

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {
            key: address(value) if key in _CODE_KEYS and isinstance(value, str) else walk(value)
            for key, value in node.items()
        }

    return json.dumps(walk(template), default=str)
