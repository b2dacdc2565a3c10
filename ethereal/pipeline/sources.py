"""The assets that a recipe takes its sound from: checked when it is asked for, fetched when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from ethereal.assets.model import Asset, AssetId
from ethereal.audio.probe import AudioFacts
from ethereal.audio.recipe import check_recipe
from ethereal.beat import Beat
from ethereal.errors import NotFoundError
from ethereal.jobs.request import EditRecipe
from ethereal.services import Services
from ethereal.storage.keys import extension_of


def find_sources(services: Services, recipe: EditRecipe) -> dict[str, Asset]:
    """The assets of a recipe's clips by their ids. Raise InvalidInputError for every rule it breaks.

    What is wrong is told under the id of its clip. Raise NotFoundError when the asset it is for is gone. All
    of them are in use from now on.
    """
    known = services.assets.touch(
        {AssetId(recipe.asset_id), *map(AssetId, recipe.sources)}, now=services.clock()
    )
    if AssetId(recipe.asset_id) not in known:
        raise NotFoundError(f"no asset {recipe.asset_id}")
    # A source that is gone is told by the check, with the clip that names it.
    found = {source: known[AssetId(source)] for source in sorted(recipe.sources) if AssetId(source) in known}
    facts = {source: facts_of(asset) for source, asset in found.items()}
    check_recipe(recipe, facts, max_duration=Fraction(services.limits.audio.total_seconds()))
    return found


def ensure_asset(services: Services, asset_id: AssetId) -> None:
    """Let the asset be in use from now on. Raise NotFoundError when it is gone."""
    if not services.assets.touch([asset_id], now=services.clock()):
        raise NotFoundError(f"no asset {asset_id}")


def facts_of(asset: Asset) -> AudioFacts:
    sound = asset.audio
    return AudioFacts(
        duration=Fraction(sound.duration),
        sample_rate=sound.sample_rate,
        channels=sound.channels,
        codec=sound.codec,
        container=sound.format,
        bit_rate=sound.bitrate,
    )


def fetch_originals(
    services: Services, assets: Iterable[Asset], folder: Path, *, beat: Beat
) -> dict[str, Path]:
    """Copy the sounds as they were taken in to this host, by their assets' ids."""
    wanted = list(assets)
    fetched: dict[str, Path] = {}
    for number, asset in enumerate(wanted):
        target = folder / f"{asset.id}.{extension_of(asset.original)}"
        fetched[asset.id] = services.objects.fetch(asset.original, target)
        beat((number + 1) / len(wanted))
    return fetched
