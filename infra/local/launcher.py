"""Starts ministack so that functions run in an environment of their own, and under their roles as AWS enforces them.

Run by the interpreter of `.venv-ministack`. ministack runs Python functions on its own interpreter and therefore with
its own packages, which hides a package that is missing from the layer. Lambda gives a function the standard library,
boto3, its layers and its code: `LAMBDA_PYTHON` names an interpreter that has just that.

ministack enforces policies (`AUTH=true`), but names some permissions after the call where AWS names them after what is
done, and knows no value for the condition keys that our roles use. Both are given here, so that template.yaml is
deployed as it stands. Sources: Service Authorization Reference (DynamoDB, KMS, SQS); DynamoDB Developer Guide, "IAM
security policies with PartiQL" and "Using IAM policy conditions for fine-grained access control".
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

Detect = Callable[[str], tuple[str, str]]
Wrapped = Callable[..., Any]

_STATEMENTS = {
    "INSERT": "PartiQLInsert",
    "UPDATE": "PartiQLUpdate",
    "DELETE": "PartiQLDelete",
    "SELECT": "PartiQLSelect",
}
_TABLE = re.compile(r'^\s*(\w+)\s+(?:.*?\b(?:INTO|FROM)\s+)?"?([\w.-]+)"?', re.IGNORECASE | re.DOTALL)
_LEADING = re.compile(r"#?\w+\s*=\s*(:\w+)")
_PARTITION_KEY = "pk"


def on_interpreter(detect: Detect, python: str) -> Detect:
    """`detect` (runtime -> binary, worker script) with `python` as the binary of every Python runtime."""

    def detected(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (python if runtime.startswith("python") else binary), script

    return detected


def end_with_parent() -> None:
    """End when standard input does: the process that holds its other end has gone, however it went."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def unpacking_once(folder: Path) -> type[zipfile.ZipFile]:
    """Unpack a layer once, into `folder`, for all workers: it has thousands of files, and each worker a copy else.

    As on Lambda nobody writes there: its bytecode is with it.
    """
    unpacking = threading.Lock()

    class Once(zipfile.ZipFile):
        def _kept(self) -> Path:
            listed = repr([(one.filename, one.CRC, one.file_size) for one in self.infolist()])
            return folder / hashlib.sha256(listed.encode()).hexdigest()

        def namelist(self) -> list[str]:
            """List what is to be checked before it is unpacked: nothing, where that was done."""
            return [] if self._kept().exists() else super().namelist()

        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            """Let a layer's folder lead to the one copy; anything else is unpacked as ever."""
            if path is None or not Path(path).name.startswith("layer_"):
                super().extractall(path, members, pwd)
                return
            with unpacking:
                if not (kept := self._kept()).exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    made = tempfile.mkdtemp(dir=folder)
                    super().extractall(made, members, pwd)
                    Path(made).rename(kept)
            Path(path).rmdir()
            Path(path).symlink_to(kept, target_is_directory=True)

    return Once


def named_as_aws_does(extract: Wrapped) -> Wrapped:
    """The permission that a request needs: a batch of messages sent is messages sent, and so on."""

    def extracted(*arguments: Any) -> Any:
        action = extract(*arguments)
        return re.sub(r"^(sqs:\w+Message(?:Visibility)?)Batch$", r"\1", action) if action else action

    return extracted


def each_statement(checks: Wrapped, arn: Callable[[str, str, str], str]) -> Wrapped:
    """What each statement of a PartiQL request needs, besides `checks` (of a transaction): action and table."""

    def checked(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action not in {"dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement"}:
            found: list[tuple[str, str]] = checks(action, body, region, account)
            return found
        data = json.loads(body)
        needed = []
        for text in [one["Statement"] for one in data.get("Statements", [data])]:
            match = _TABLE.match(text)
            verb, table = match.groups() if match else ("", "*")
            needed.append((f"dynamodb:{_STATEMENTS.get(verb.upper(), verb)}", arn(table, region, account)))
        return needed

    return checked


def with_leading_keys(context: Wrapped) -> Wrapped:
    """The condition keys of a DynamoDB request, with the partitions that it touches (`dynamodb:LeadingKeys`)."""

    def known(body: bytes) -> dict[str, Any]:
        keys = sorted(set(leading_keys(json.loads(body or b"{}"))))
        return {**context(body), **({"dynamodb:LeadingKeys": keys} if keys else {})}

    return known


def leading_keys(request: dict[str, Any]) -> Iterator[str]:
    """The partition keys that a request names, in an index the index's own."""
    tables = request.get("RequestItems", {}).values()
    rows = [request.get("Key"), request.get("Item"), *(key for one in tables for key in one.get("Keys", []))]
    yield from (row[_PARTITION_KEY]["S"] for row in rows if row)
    if found := _LEADING.search(request.get("KeyConditionExpression", "")):
        yield request["ExpressionAttributeValues"][found[1]]["S"]


def with_encryption_context(context: Wrapped) -> Wrapped:
    """The condition keys of a request, for KMS with each pair of its encryption context."""

    def known(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        given = json.loads(body or b"{}").get("EncryptionContext") if service == "kms" else None
        pairs = {f"kms:EncryptionContext:{name}": value for name, value in (given or {}).items()}
        return {**context(service, action, body, parameters), **pairs}

    return known


def over_tls(pin: Wrapped) -> Wrapped:
    """Take every request for one over TLS, as every request to AWS is: ours go to this machine only."""

    def pinned(source: str, _: bool) -> Any:
        return pin(source, True)

    return pinned


def enforce_as_aws_does(actions: ModuleType) -> None:
    """Put the functions above into ministack's `iam_actions`. An `AttributeError` means that it was upgraded."""
    actions.extract_iam_action = named_as_aws_does(actions.extract_iam_action)  # type: ignore[attr-defined]
    checks = each_statement(actions.dynamodb_transaction_checks, actions._dynamodb_table_arn)
    actions.dynamodb_transaction_checks = checks  # type: ignore[attr-defined]
    actions.dynamodb_service_context = with_leading_keys(actions.dynamodb_service_context)  # type: ignore[attr-defined]
    actions.request_tag_context = with_encryption_context(actions.request_tag_context)  # type: ignore[attr-defined]


def main() -> None:
    """Run ministack until it is told to end. The private names that are replaced are those of the pinned version."""
    from ministack import app  # type: ignore[import-not-found, unused-ignore]
    from ministack.core import iam_actions, lambda_runtime  # type: ignore[import-not-found, unused-ignore]

    enforce_as_aws_does(iam_actions)
    app.pin_request_origin = over_tls(app.pin_request_origin)
    python = os.environ["LAMBDA_PYTHON"]
    once = unpacking_once(Path(tempfile.gettempdir()) / "layers")
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": once})
    lambda_runtime._detect_runtime_binary = on_interpreter(lambda_runtime._detect_runtime_binary, python)
    threading.Thread(target=end_with_parent, daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
