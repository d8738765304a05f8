"""`cosmoflow doctor`."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._exit import FAILED

if TYPE_CHECKING:
    from ._health import Health


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found for programs.")] = False,
) -> None:
    """Try this machine, and time it; exit 1 if something is broken."""
    from ._health import examine

    health = examine()
    if as_json:
        print(json.dumps(asdict(health), indent=1))
    else:
        print("\n".join(_lines(health)), flush=True)
    for problem in health.problems:
        print(f"cosmoflow: {problem}", file=sys.stderr)
    if health.problems:
        raise typer.Exit(FAILED)


def _lines(health: "Health") -> list[str]:
    facts = health.facts
    lines = [
        f"cosmoflow  {facts['cosmoflow']}, Python {facts['python']}, {facts['machine']}",
        f"libraries  {', '.join(_library(*each) for each in facts['libraries'].items())}",
    ]
    if "devices" in facts:
        lines += [f"{'device':<10} {_device(each)}" for each in facts["devices"]]
        lines += [
            f"precision  {facts['precision']}, unless [run] says otherwise",
            f"programs   {_cache(facts['cache'])}",
        ]
    if "kernels" in facts:
        width = max(len(kernel["name"]) for kernel in facts["kernels"])
        lines += [f"\n{'':<{width}}  {'compile [s]':>11}  {'run [ms]':>8}  {'error':>7}"]
        lines += [
            f"{kernel['name']:<{width}}  {kernel['compile_seconds']:11.2f}  {1e3 * kernel['run_seconds']:8.2f}  "
            f"{kernel['error']:7.0e}"
            for kernel in facts["kernels"]
        ]
    return [*lines, "", *_verdict(health)]


def _verdict(health: "Health") -> list[str]:
    """Two lines: whether runs will work, and whether they could do better."""
    if health.problems:
        works = f"Broken: {len(health.problems)} of the things that a run needs."
    else:
        works = "Everything works: devices, libraries, and the results of all kernels."
    return [works, *(health.notes or ["Nothing to improve."])]


def _library(name: str, version: str | None) -> str:
    return f"{name} {version}" if version else f"no {name}"


def _device(device: dict[str, Any]) -> str:
    memory = "" if device["memory"] is None else f", {device['memory'] / 1e9:.1f} GB"
    return f"{device['platform']} {device['id']}: {device['kind']}{memory}"


def _cache(cache: dict[str, Any]) -> str:
    if cache["folder"] is None:
        return "not kept"
    limit = "no limit" if cache["limit"] is None else f"at most {cache['limit'] / 1e9:.1f} GB"
    return f"{cache['files']} compiled ones of {cache['bytes'] / 1e6:.0f} MB in {cache['folder']}, {limit}"
