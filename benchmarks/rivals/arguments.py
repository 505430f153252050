"""What every load process of a rival is told on its command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arguments:
    target: str
    in_flight: int
    workflows: int
    server_pid: int

    @classmethod
    def read(cls) -> Arguments:
        """Parse the command line of this process."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--target", required=True)
        parser.add_argument("--in-flight", type=int, required=True)
        parser.add_argument("--workflows", type=int, required=True)
        parser.add_argument("--server-pid", type=int, default=0)
        return cls(**vars(parser.parse_args()))
