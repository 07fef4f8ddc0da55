"""Objects in an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from ml_connector.aws.errors import code_of, translated
from ml_connector.ports import object_key


class S3Blobs:
    """Objects in one bucket. Every method raises `Transient` where AWS throttles or is not reached."""

    def __init__(self, client: Any, bucket: str) -> None:
        """`client` is boto3's for `s3`."""
        self._client, self._bucket = client, bucket
        self._what = f"the bucket {bucket}"

    def put(self, key: str, body: bytes) -> None:
        """Store an object; the same key again replaces it. Raises `ValueError` for a key that is no path."""
        with translated(self._what):
            self._client.put_object(Bucket=self._bucket, Key=_checked(key), Body=body)

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none. Raises `ValueError` for a key that is no path.

        S3 tells "none" from "refused" only to a role that may list the bucket.
        """
        with translated(self._what):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=_checked(key))
            except ClientError as error:
                if code_of(error) not in {"NoSuchKey", "404"}:
                    raise
                return None
            body: bytes = answer["Body"].read()
            return body

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix in the order of their UTF-8 bytes, 1,000 a call."""
        with translated(self._what):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    yield found["Key"]


def _checked(key: str) -> str:
    """Let no key pass that the embedded family could not keep as a file."""
    object_key(key)
    return key
