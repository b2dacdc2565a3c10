"""The name of every object, and nowhere else."""

from __future__ import annotations

import re
from typing import NewType
from uuid import UUID

from ethereal.errors import ForbiddenError, InvalidInputError

StorageKey = NewType("StorageKey", str)

_KEY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)+[A-Za-z0-9_-][A-Za-z0-9._-]*")
_UPLOAD = re.compile(r"uploads/([0-9a-f-]{36})/original\.[a-z0-9]{1,8}")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")


def read_key(text: str) -> StorageKey:
    """Take a key from outside. Raise ForbiddenError unless it is one that this file could have made."""
    if len(text) > 1024 or not _KEY.fullmatch(text) or ".." in text:
        raise ForbiddenError("this is not a storage key")
    return StorageKey(text)


def read_upload_key(text: str) -> StorageKey:
    """Take the key of an upload from a client. Raise InvalidInputError for any other key."""
    if not _UPLOAD.fullmatch(text):
        raise InvalidInputError("not an upload", {"storageKey": ["must be a key that an upload gave"]})
    return StorageKey(text)


def extension_of(filename: str) -> str:
    """The file's extension when it is harmless, else `bin`. The name itself never becomes part of a key."""
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    return extension if _EXTENSION.fullmatch(extension) else "bin"


def upload(upload_id: UUID, filename: str) -> StorageKey:
    return StorageKey(f"uploads/{upload_id}/original.{extension_of(filename)}")


def upload_folder(key: StorageKey) -> StorageKey:
    """Everything that belongs to one upload."""
    return StorageKey(key.rpartition("/")[0] + "/")


def asset_folder(asset_id: str) -> StorageKey:
    """Everything that belongs to one asset."""
    return StorageKey(f"assets/{asset_id}/")


def asset_of(key: StorageKey) -> str:
    """The id of the asset that an object below `assets/` belongs to."""
    return key.split("/")[1]


def asset_original(asset_id: str, extension: str) -> StorageKey:
    return StorageKey(f"assets/{asset_id}/original.{extension}")


def asset_prepared(asset_id: str, extension: str) -> StorageKey:
    return StorageKey(f"assets/{asset_id}/prepared.{extension}")


def asset_peaks(asset_id: str) -> StorageKey:
    return StorageKey(f"assets/{asset_id}/peaks.json")


def asset_edits(asset_id: str) -> StorageKey:
    """The recipe of the prepared sound."""
    return StorageKey(f"assets/{asset_id}/edits.json")


def asset_preview(asset_id: str, sound_hash: str) -> StorageKey:
    return StorageKey(f"assets/{asset_id}/preview_{sound_hash}.mp3")


def render_folder(job_id: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/")


def render_source(job_id: str) -> StorageKey:
    """What an address gave, until it is prepared."""
    return StorageKey(f"renders/{job_id}/source.bin")


def render_audio(job_id: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/audio.flac")


def render_features(job_id: str, name: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/{name}")


def render_output(job_id: str, extension: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/output.{extension}")


def render_poster(job_id: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/poster.jpg")


def render_contact(job_id: str) -> StorageKey:
    return StorageKey(f"renders/{job_id}/contact.jpg")


def call_folder(job_id: str) -> StorageKey:
    """What the calls of a render elsewhere leave for each other; like plans it goes after some days."""
    return StorageKey(f"plans/call-{job_id}/")


def call_file(job_id: str, attempt: int, name: str) -> StorageKey:
    return StorageKey(f"plans/call-{job_id}/{attempt}/{name}")


def plan_archive(plan_hash: str, chunk_count: int) -> StorageKey:
    """Equal plans differ only in how their chunks are dealt out."""
    return StorageKey(f"plans/{plan_hash}/plan-{chunk_count}.tar")


def plan_archives(plan_hash: str) -> StorageKey:
    """What the archives of that plan begin with."""
    return StorageKey(f"plans/{plan_hash}/plan-")


def plan_gops(plan_hash: str) -> StorageKey:
    """The keys of the plan's GOPs."""
    return StorageKey(f"plans/{plan_hash}/gops.json")


def gop_plan(gop_key: str, plan_hash: str) -> StorageKey:
    """An empty object: this plan has a GOP with that key."""
    return StorageKey(f"reuse/{gop_key}/{plan_hash}")


def gop_plans(gop_key: str) -> StorageKey:
    """What the objects of all plans that have such a GOP begin with."""
    return StorageKey(f"reuse/{gop_key}/")


def plan_chunks(plan_hash: str) -> StorageKey:
    """What the chunks of a plan and their records begin with."""
    return StorageKey(f"plans/{plan_hash}/chunks/")


def last_part(key: StorageKey) -> str:
    """What stands behind the last slash."""
    return key.rpartition("/")[2]


def plan_chunk(plan_hash: str, name: str) -> StorageKey:
    return StorageKey(f"plans/{plan_hash}/chunks/{name}")
