"""A wheel carries the sounds and the scenarios too; an editable installation finds them in the checkout."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShippedFiles(BuildHookInterface):
    """Puts them where `audiosocket_core/phrase_book/shipped.py` looks."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            for folder in ("audio", "recordings", "scenarios"):
                build_data["force_include"][folder] = f"audiosocket_core/_shipped/{folder}"
