"""Overwrites audit objects in S3 for good: the bucket keeps earlier versions, which a purge must take along."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from botocore.exceptions import ClientError

from ml_connector.aws.errors import code_of, translated

from .workspace import Refused


class S3Eraser:
    """The objects of one bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        """`client` is boto3's for `s3`."""
        self._client, self._bucket = client, bucket
        self._what = f"the bucket {bucket}"

    def check(self) -> None:
        """Raise `Refused` where the bucket has Object Lock."""
        with translated(self._what):
            try:
                answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as error:
                if code_of(error) != "ObjectLockConfigurationNotFoundError":
                    raise
                return
        if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled":
            raise Refused(
                f"Nothing was purged: {self._what} has Object Lock (the stack's AuditObjectLock), so that nobody, this "
                "command included, can take anything out of the audit trail before its retention ends by itself."
            )

    def replace(self, key: str, body: bytes) -> None:
        """Write a new version of an object; `forget` deletes the others."""
        with translated(self._what):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def forget(self, prefix: str, keys: Collection[str]) -> None:
        """Delete every version of these objects but the latest, and of no other object.

        One call for each: a call for many at once asks for the right to delete whole objects as well.
        """
        pages = self._client.get_paginator("list_object_versions")
        with translated(self._what):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for version in page.get("Versions", []):
                    if version["Key"] in keys and not version["IsLatest"]:
                        self._client.delete_object(
                            Bucket=self._bucket, Key=version["Key"], VersionId=version["VersionId"]
                        )
