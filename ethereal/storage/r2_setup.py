"""What a bucket needs besides objects: browsers may put and get, and what nobody needs any more goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ethereal.storage.r2 import R2ObjectStore
from ethereal.storage.r2_bucket import R2Bucket, code_of, translated
from ethereal.storage.store import PLANS_KEPT

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleOutputTypeDef, CORSRuleTypeDef, LifecycleRuleOutputTypeDef

#: Days after which objects under a prefix go. The bucket does not know which jobs live, so this comes after
#: the reaper, which keeps unused uploads for a day, and after a job of a day whose plan is kept for seven.
EXPIRY_DAYS = {"uploads/": 2, "plans/": PLANS_KEPT.days, "reuse/": PLANS_KEPT.days}
_UNFINISHED_DAYS = 2  # longer than a call that puts its video in parts may take
_OURS = "ethereal-"


def set_up_bucket(store: R2ObjectStore, origins: Sequence[str]) -> list[str]:
    """Let pages of these origins use the bucket's links, and let old objects expire. Safe to repeat.

    Return a line for each thing done. CORS is all ours; lifecycle rules of others stay.
    """
    with translated(f"bucket {store.bucket.name}"):
        return [_set_cors(store.bucket, origins), *_set_lifecycle(store.bucket)]


def _set_cors(bucket: R2Bucket, origins: Sequence[str]) -> str:
    # R2 wants each header named: a bare * does not let content-type through.
    rule: CORSRuleTypeDef = {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["content-type", "range"],
        "ExposeHeaders": ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 3600,
    }
    said = f"CORS: pages of {', '.join(origins)} may get and put"
    if [_plain(known) for known in _cors(bucket)] == [_plain(rule)]:
        return f"{said}: was so already"
    bucket.client.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": [rule]})
    return f"{said}: set"


def _cors(bucket: R2Bucket) -> list[CORSRuleOutputTypeDef]:
    try:
        return bucket.client.get_bucket_cors(Bucket=bucket.name)["CORSRules"]
    except ClientError as error:
        if code_of(error) == "NoSuchCORSConfiguration":
            return []
        raise


def _plain(rule: CORSRuleTypeDef | CORSRuleOutputTypeDef) -> dict[str, object]:
    """A rule to compare: servers add an id and give lists in an order of their own."""
    values = {name: value for name, value in rule.items() if name != "ID"}
    return {name: sorted(value) if isinstance(value, list) else value for name, value in values.items()}


def _set_lifecycle(bucket: R2Bucket) -> list[str]:
    wanted = [_expire(prefix, days) for prefix, days in EXPIRY_DAYS.items()] + [_drop_unfinished()]
    known = _lifecycle(bucket)
    ours = [rule for rule in known if rule.get("ID", "").startswith(_OURS)]
    said = [f"lifecycle: {prefix} goes after {days} days" for prefix, days in EXPIRY_DAYS.items()]
    said.append("lifecycle: unfinished uploads go after two days")
    if sorted(map(_meaning, ours)) == sorted(map(_meaning, wanted)):
        return [f"{line}: was so already" for line in said]
    others = [rule for rule in known if rule not in ours]
    bucket.client.put_bucket_lifecycle_configuration(
        Bucket=bucket.name, LifecycleConfiguration={"Rules": [*others, *wanted]}
    )
    return [f"{line}: set" for line in said]


def _lifecycle(bucket: R2Bucket) -> list[LifecycleRuleOutputTypeDef]:
    try:
        return bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    except ClientError as error:
        if code_of(error) == "NoSuchLifecycleConfiguration":
            return []
        raise


def _expire(prefix: str, days: int) -> LifecycleRuleOutputTypeDef:
    return {
        "ID": f"{_OURS}{prefix.strip('/')}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
    }


def _drop_unfinished() -> LifecycleRuleOutputTypeDef:
    return {
        "ID": f"{_OURS}unfinished",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
    }


def _meaning(rule: LifecycleRuleOutputTypeDef) -> tuple[str, str, str, int, int]:
    """What a rule does, however the server writes it down."""
    prefix = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    days = rule.get("Expiration", {}).get("Days", 0)
    unfinished = rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation", 0)
    return (rule.get("ID", ""), rule["Status"], prefix, days, unfinished)
