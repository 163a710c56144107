"""Roomy cache: keys and values that grow in place.

The usual cache copies all it holds for each new token; on a CPU that takes longer than the network does. This
one keeps room for the next tokens, and copies only when the room is used up or rows leave.
"""

from typing import Any, Final

import torch
from torch import Tensor
from transformers import Cache, DynamicLayer, PretrainedConfig

_ROOM: Final = 256


class RoomyLayer(DynamicLayer):
    """One layer's keys and values, [rows, heads, tokens, dimensions]; what is seen is a view of a larger tensor."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take dtype and device from the first tokens; there is no room yet."""
        self.dtype, self.device = key_states.dtype, key_states.device
        self._held = 0
        self._key_room = key_states[:, :, :0]
        self._value_room = value_states[:, :, :0]
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Add the keys and values of the next tokens; returns those of all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before, self._held = self._held, self._held + key_states.shape[2]
        if self._held > self._key_room.shape[2]:
            self._key_room = _larger(self._key_room[:, :, :before], self._held + _ROOM)
            self._value_room = _larger(self._value_room[:, :, :before], self._held + _ROOM)
        self._key_room[:, :, before : self._held] = key_states
        self._value_room[:, :, before : self._held] = value_states
        self.keys, self.values = self._key_room[:, :, : self._held], self._value_room[:, :, : self._held]
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some rows; one may be kept several times."""
        self._key_room, self._value_room = self._key_room[indices], self._value_room[indices]
        self.keys, self.values = self._key_room[:, :, : self._held], self._value_room[:, :, : self._held]


class RoomyCache(Cache):
    """A cache of such layers, for models whose layers all attend to everything."""

    def __init__(self, config: PretrainedConfig) -> None:
        layers = config.get_text_config(decoder=True).num_hidden_layers
        super().__init__(layers=[RoomyLayer() for _ in range(layers)])


def _larger(held: Tensor, tokens: int) -> Tensor:
    rows, heads, before, dimensions = held.shape
    room = torch.empty(rows, heads, tokens, dimensions, dtype=held.dtype, device=held.device)
    room[:, :, :before] = held
    return room
